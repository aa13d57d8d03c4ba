// data-key="n" on a button, link or field: the key clicks it, or focuses the field; "g o" is one
// key after the other. It is declared nowhere else, so the list of keys (?) is read off the page.
// Off while typing; while a dialog is open only what is inside it answers.

const FIELDS = "input:not([type=checkbox], [type=radio]), select, textarea";
const SEQUENCE_MS = 1500;
const NAMES = { Delete: "Del", Escape: "Esc", Enter: "↵", F: "⇧F" };
const FIXED = [
  ["j k ↑ ↓", "Next and previous row"],
  ["PgUp PgDn Home End", "Ten rows on, first and last row"],
  ["Space", "Select the row"],
  ["↵", "Open the row"],
  ["Esc", "Close the dialog, or clear the filter"],
];

const mayUseLetters = document.body.dataset.singleKeys !== "off";
const list = document.querySelector("#keys");
let first = "";
let firstAt = 0;

const isTyping = (target) => target.isContentEditable || target.matches?.(FIELDS);
const scope = () => document.querySelector("dialog[open]") ?? document;
const isShown = (element) => element.checkVisibility() || element.closest("details.menu");

function find(key) {
  const found = scope().querySelectorAll(`[data-key="${CSS.escape(key)}"]:not(:disabled)`);
  return [...found].find(isShown);
}

// The row that has the focus, or else the one that is selected, answers to its own keys.
function findInRow(key) {
  const row =
    document.activeElement?.closest?.("[data-row]") ??
    scope().querySelector('[data-row][aria-selected="true"]');
  return row?.querySelector(`[data-row-key="${CSS.escape(key)}"]:not(:disabled)`);
}

function clearFilter(target) {
  if (!target.matches?.("input[type=search]") || !target.value) return false;
  target.value = "";
  target.dispatchEvent(new Event("input", { bubbles: true }));
  return true;
}

function act(element) {
  if (element.matches(FIELDS)) {
    element.focus();
    element.select?.();
  } else element.click();
}

function wanted(key) {
  const sequence = first && Date.now() - firstAt < SEQUENCE_MS ? `${first} ${key}` : "";
  const found = (sequence && find(sequence)) || find(key) || findInRow(key);
  first = found ? "" : key;
  firstAt = Date.now();
  return found;
}

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.key === "Escape" && clearFilter(event.target)) return event.preventDefault();
  if (isTyping(event.target)) return;
  if (event.key.length === 1 && !mayUseLetters) return;
  const found = wanted(event.key);
  if (!found) return;
  event.preventDefault();
  act(found);
}

function words(element) {
  const label = element.labels?.[0]?.textContent ?? element.getAttribute("aria-label");
  const shown = element.cloneNode(true);
  for (const key of shown.querySelectorAll("kbd")) key.remove();
  return (element.dataset.keyWords ?? label ?? shown.textContent ?? "").trim().replace(/\s+/g, " ");
}

function entry(key, what) {
  const row = document.createElement("div");
  const [term, meaning] = ["dt", "dd"].map((name) => document.createElement(name));
  for (const one of key.split(" ")) {
    const cap = document.createElement("kbd");
    cap.textContent = NAMES[one] ?? one;
    term.append(cap);
  }
  meaning.textContent = what;
  row.append(term, meaning);
  return row;
}

function entries() {
  const found = new Map();
  for (const element of document.querySelectorAll("[data-key], [data-row-key]")) {
    const key = element.dataset.key ?? element.dataset.rowKey;
    if (element.closest("dialog") || found.has(key) || element.disabled) continue;
    if (isShown(element)) found.set(key, words(element));
  }
  const fixed = document.querySelector("[data-rows]") ? FIXED : FIXED.slice(-1);
  return [...found, ...fixed];
}

function showList() {
  const keys = document.createElement("dl");
  keys.className = "key-list";
  keys.append(...entries().map(([key, what]) => entry(key, what)));
  const note = document.createElement("p");
  note.className = "muted";
  note.textContent = mayUseLetters
    ? "No single key sends an order. Single letters can be switched off in the settings."
    : "Single letters are switched off in your settings.";
  list.querySelector(".body").replaceChildren(keys, note);
  list.showModal();
}

export function listenForKeys() {
  document.addEventListener("keydown", press);
  document.querySelector("[data-keys-list]")?.addEventListener("click", showList);
}
