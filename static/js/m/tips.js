// One tip for all status cells, at once and beside the cell: thousands of native titles are slow to
// come. It shows the cell's title; the keyboard's way to the same words is the row's detail.

const tip = document.createElement("div");
let shown = null;

function hide() {
  if (shown) shown.title = shown.dataset.tip;
  shown?.removeAttribute("data-tip");
  shown = null;
  tip.hidden = true;
}

function show(cell) {
  if (cell === shown) return;
  hide();
  if (!cell?.title) return;
  shown = cell;
  tip.textContent = cell.dataset.tip = cell.title;
  cell.removeAttribute("title");
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
