// The dialog that the server fills opens when something was swapped into it, the answer's header
// `HX-Trigger: {"closeModal":{}}` closes it, and the focus goes back to where it came from. Toasts
// leave after a while, errors stay. Menus close when something else is meant.

const TOAST_MS = 6000;
const modal = document.querySelector("#modal");
let opener = null;
let armedAt = 0;

// The opener itself may be gone by a swap; what stands in its place has the same id or address.
function placeOf(element) {
  if (!element || element === document.body) return () => null;
  const address = element.getAttribute("href") ?? element.getAttribute("hx-get");
  const twin = () =>
    (element.id && document.getElementById(element.id)) ||
    (address && document.querySelector(`[href="${CSS.escape(address)}"]`));
  return () => (element.isConnected ? element : twin());
}

function arm() {
  const delays = [...modal.querySelectorAll("[data-arm]")].map((one) => Number(one.dataset.arm));
  armedAt = performance.now() + Math.max(0, ...delays);
}

function open({ detail }) {
  if (!modal.firstElementChild || (detail?.ctx && !modal.contains(detail.ctx.target))) return;
  modal.classList.toggle("modal-wide", Boolean(modal.querySelector("[data-wide]")));
  arm();
  if (modal.open) return;
  opener = placeOf(document.activeElement);
  modal.showModal();
}

function forget() {
  modal.replaceChildren();
  opener?.()?.focus();
  opener = null;
}

// A key or click that was meant for the step before must not fall through to this one; the way back
// is open at once.
function holdUnarmed(event) {
  const meant = event.type === "submit" ? event.submitter : event.target;
  const isHeld = meant === null || meant.closest?.("[data-arm]");
  if (!isHeld || !modal.querySelector("[data-arm]") || performance.now() >= armedAt) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}

function leaveLater(note) {
  if (note.matches?.(".note:not(.note-error, .note-warning)")) setTimeout(() => note.remove(), TOAST_MS);
}

function watchToasts(toasts) {
  for (const note of toasts.children) leaveLater(note);
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) addedNodes.forEach(leaveLater);
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
  for (const name of ["click", "submit"]) modal.addEventListener(name, holdUnarmed, true);
  modal.addEventListener("close", forget);
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-close]")) event.target.closest("dialog")?.close();
    closeMenus(event);
  });
  document.addEventListener("keydown", closeMenus);
  watchToasts(document.querySelector("#toasts"));
}
