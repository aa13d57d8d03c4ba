// What the reader has unfolded stays unfolded when a list is updated in place.

export function keepUnfolded() {
  window.htmx?.registerExtension("unfolded", {
    htmx_before_morph_attr: (element, { attrName }) =>
      attrName !== "open" || !element.matches("details"),
  });
}
