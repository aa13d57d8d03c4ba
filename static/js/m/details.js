// What the reader has unfolded stays unfolded when a list is updated in place.

export function keepUnfolded() {
  document.addEventListener("htmx:before:morph:attr", (event) => {
    if (event.detail.attrName === "open" && event.target.matches("details")) event.preventDefault();
  });
}
