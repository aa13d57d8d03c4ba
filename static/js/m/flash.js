// Inside [data-flash], a cell flashes when its text or one of its status icons changes in place.
// That a second went by is no news.

const STILL = matchMedia("(prefers-reduced-motion: reduce)");
const FADE = [{ backgroundColor: "var(--flash)" }, {}];
const UNDERLINE = Array(2).fill({ boxShadow: "inset 0 -2px var(--amber)" });

const iconOf = (classes) => classes?.match(/\bst-\w+/)?.[0];

// htmx puts classes of its own on what it swaps: only another icon is news.
const isNews = ({ type, target, oldValue }) =>
  type !== "attributes" || iconOf(oldValue) !== iconOf(target.className);

function cellOf(node) {
  const element = node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement;
  return element?.closest("[data-count]") ? null : element?.closest("td, dd, li");
}

function flash(mutations) {
  const cells = new Set(mutations.filter(isNews).map(({ target }) => cellOf(target)));
  cells.delete(null);
  cells.delete(undefined);
  for (const cell of cells) {
    cell.animate(STILL.matches ? UNDERLINE : FADE, { duration: 1200, easing: "ease-out" });
  }
}

export function flashChanges() {
  const observer = new MutationObserver(flash);
  for (const region of document.querySelectorAll("[data-flash]")) {
    observer.observe(region, {
      subtree: true,
      childList: true,
      characterData: true,
      attributeFilter: ["class"],
      attributeOldValue: true,
    });
  }
}
