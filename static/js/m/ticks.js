// The boxes of the grid: how many are ticked and what reading them costs, all of them, none of them.

const boxes = () => [...document.querySelectorAll('.pick input[name="account"]')];
const plural = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;

function count() {
  const all = boxes();
  const ticked = all.filter((box) => box.checked);
  const calls = new Set(ticked.map((box) => box.dataset.login)).size;
  const shown = document.querySelector("[data-picked]");
  const words = `${plural(ticked.length, "account")} ticked; reading them costs ${plural(calls, "call")}`;
  if (shown && shown.textContent !== words) shown.textContent = words;
  const head = document.querySelector("[data-pick-all]");
  if (!head) return;
  head.checked = all.length > 0 && ticked.length === all.length;
  head.indeterminate = ticked.length > 0 && !head.checked;
}

function tick(isTicked) {
  for (const box of boxes()) box.checked = isTicked;
  count();
}

export function countTicks() {
  document.addEventListener("change", ({ target }) => {
    if (target.matches("[data-pick-all]")) tick(target.checked);
    else if (target.matches(".pick input")) count();
  });
  document.addEventListener("click", ({ target }) => {
    if (target.closest?.("[data-pick-none]")) tick(false);
  });
  document.addEventListener("htmx:after:swap", count);
  count();
}
