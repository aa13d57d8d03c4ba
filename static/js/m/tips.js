// A cell of a status grid says on hovering whose it is, and how it stands: the names come from
// [data-accounts], the words from [data-tips], so that thousands of cells need no text of their
// own. For the keyboard and for screen readers there is the order's dialog.

const BETWEEN = "|";
const tip = document.createElement("div");
let shown = null;

const parts = (text) => text?.split(BETWEEN) ?? [];

function wordsOf(cell) {
  const grid = cell.parentElement;
  const place = [...grid.children].indexOf(cell);
  const names = parts(grid.closest("[data-accounts]")?.dataset.accounts);
  return [names[place], parts(grid.dataset.tips)[place]].filter(Boolean).join(" — ");
}

function hide() {
  shown = null;
  tip.hidden = true;
}

function show(cell) {
  if (cell === shown) return;
  hide();
  const words = cell ? wordsOf(cell) : "";
  if (!words) return;
  shown = cell;
  tip.textContent = words;
  tip.hidden = false;
  const box = cell.getBoundingClientRect();
  const below = box.bottom + 4 + tip.offsetHeight < innerHeight;
  tip.style.left = `${Math.max(4, Math.min(box.left, innerWidth - tip.offsetWidth - 4))}px`;
  tip.style.top = `${below ? box.bottom + 4 : box.top - tip.offsetHeight - 4}px`;
}

export function showTips() {
  tip.className = "tip";
  tip.hidden = true;
  tip.setAttribute("aria-hidden", "true");
  document.body.append(tip);
  document.addEventListener("pointerover", ({ target }) => show(target.closest?.(".sg > .st")));
  document.addEventListener("scroll", hide, { capture: true, passive: true });
}
