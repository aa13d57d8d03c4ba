// Rows that the keyboard walks through: one [data-row] of a [data-rows] is a tab stop. Space or a
// click selects, Enter opens. Tab stop and selection survive swaps: htmx leaves them alone.

const STEPS = {
  ArrowDown: (at) => at + 1,
  j: (at) => at + 1,
  ArrowUp: (at) => at - 1,
  k: (at) => at - 1,
  PageDown: (at) => at + 10,
  PageUp: (at) => at - 10,
  Home: () => 0,
  End: () => Infinity,
};
const CONTROLS = "a, button, input, select, textarea, summary, label, [contenteditable]";
const mayUseLetters = document.body.dataset.singleKeys !== "off";

const rowsOf = (group) => [...group.querySelectorAll("[data-row]")].filter((row) => row.checkVisibility());

function makeStop(group) {
  const rows = rowsOf(group);
  const stop =
    rows.find((row) => row.tabIndex === 0) ??
    rows.find((row) => row.getAttribute("aria-selected") === "true") ??
    rows[0];
  for (const row of rows) if (row !== stop || !row.hasAttribute("tabindex")) row.tabIndex = row === stop ? 0 : -1;
}

function go(row) {
  for (const other of rowsOf(row.closest("[data-rows]"))) other.tabIndex = other === row ? 0 : -1;
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

function select(row, isSelected = true) {
  for (const other of row.closest("[data-rows]").querySelectorAll('[aria-selected="true"]')) {
    if (other !== row) other.removeAttribute("aria-selected");
  }
  if (isSelected) row.setAttribute("aria-selected", "true");
  else row.removeAttribute("aria-selected");
  row.dispatchEvent(new CustomEvent("rowselect", { bubbles: true, detail: { isSelected } }));
}

// j in a page where nothing has the focus yet goes to the first rows.
function enter(event) {
  if (!["j", "k", "ArrowDown", "ArrowUp"].includes(event.key) || event.target !== document.body) return;
  if (document.querySelector("dialog[open]")) return;
  const row = document.querySelector('[data-rows] [data-row][tabindex="0"]');
  if (!row) return;
  event.preventDefault();
  go(row);
}

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key.length === 1 && event.key !== " " && !mayUseLetters) return;
  const row = event.target.matches?.("[data-row]") ? event.target : null;
  if (!row) return enter(event);
  const step = STEPS[event.key];
  if (step) {
    const rows = rowsOf(row.closest("[data-rows]"));
    const to = Math.max(0, Math.min(rows.length - 1, step(rows.indexOf(row))));
    go(rows[to]);
  } else if (event.key === " ") select(row, row.getAttribute("aria-selected") !== "true");
  else if (event.key === "Enter") {
    select(row);
    row.querySelector("[data-open]")?.click();
  } else return;
  event.preventDefault();
}

function click(event) {
  const row = event.target.closest?.("[data-row]");
  const isControl = event.target.closest?.(CONTROLS);
  // What opens a row selects it, too: beside some lists stands what is selected.
  if (row && isControl?.matches("[data-open]")) return select(row);
  if (!row || (isControl && row.contains(isControl))) return;
  go(row);
  select(row);
}

function makeStops() {
  document.querySelectorAll("[data-rows]").forEach(makeStop);
}

export function walkRows() {
  makeStops();
  document.addEventListener("keydown", press);
  document.addEventListener("click", click);
  document.addEventListener("htmx:after:swap", makeStops);
}
