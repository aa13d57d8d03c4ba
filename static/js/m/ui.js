// The dialog that the server fills opens when something was swapped into it, the answer's header
// `HX-Trigger: {"closeModal":{}}` closes it, and the focus goes back to where it came from. Toasts
// leave after a while, errors stay, each but once. Menus close when something else is meant.

const TOAST_MS = 6000;
const modal = document.querySelector("#modal");
let opener = null;

// The opener itself may be gone by a swap; what stands in its place has the same id or address.
function placeOf(element) {
  if (!element || element === document.body) return () => null;
  const address = element.getAttribute("href") ?? element.getAttribute("hx-get");
  const twin = () =>
    (element.id && document.getElementById(element.id)) ||
    (address && document.querySelector(`[href="${CSS.escape(address)}"]`));
  return () => (element.isConnected ? element : twin());
}

function open({ detail }) {
  if (!modal.firstElementChild || (detail?.ctx && !modal.contains(detail.ctx.target))) return;
  modal.classList.toggle("modal-wide", Boolean(modal.querySelector("[data-wide]")));
  if (modal.open) return;
  opener = placeOf(document.activeElement);
  modal.showModal();
}

function forget() {
  modal.replaceChildren();
  opener?.()?.focus();
  opener = null;
}

function leaveLater(note) {
  if (note.matches?.(".note:not(.note-error, .note-warning)")) setTimeout(() => note.remove(), TOAST_MS);
}

// What is said once more takes the place of what says so already.
function standAlone(note) {
  if (!note.matches?.(".note-error, .note-warning")) return;
  for (const other of note.parentElement?.children ?? []) {
    if (other !== note && other.textContent === note.textContent) other.remove();
  }
}

// A toast that was answered has nothing to ask for any more.
function leaveWhenDone({ target, detail: { ctx } }) {
  if (ctx.response?.status < 400) target.closest(".note")?.remove();
}

function watchToasts(toasts) {
  for (const note of toasts.children) leaveLater(note);
  toasts.addEventListener("htmx:finally:request", leaveWhenDone);
  new MutationObserver((changes) => {
    for (const note of changes.flatMap(({ addedNodes }) => [...addedNodes])) {
      leaveLater(note);
      standAlone(note);
    }
  }).observe(toasts, { childList: true });
}

function closeMenus(event) {
  const isEscape = event.key === "Escape";
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (event.type === "keydown" && !isEscape) continue;
    if (!isEscape && menu.contains(event.target)) continue;
    menu.open = false;
    if (isEscape) menu.querySelector("summary").focus();
  }
}

export function openDialogs() {
  document.addEventListener("htmx:after:swap", open);
  document.addEventListener("closeModal", () => modal.close());
  modal.addEventListener("close", forget);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-close]")) event.target.closest("dialog")?.close();
    closeMenus(event);
  });
  document.addEventListener("keydown", closeMenus);
  watchToasts(document.querySelector("#toasts"));
}
