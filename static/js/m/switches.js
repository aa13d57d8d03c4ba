// A switch shows at once what it was told to be, and goes back if the server refuses.

const isSwitch = (element) => element?.matches?.('[role="switch"]');

export function flipSwitches() {
  const before = new Map();
  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
    const element = ctx.sourceElement;
    if (!isSwitch(element)) return;
    const isOn = element.getAttribute("aria-checked") === "true";
    before.set(element, String(isOn));
    element.setAttribute("aria-checked", String(!isOn));
  });
  // What it was, not the other way round: the row may have been drawn anew meanwhile.
  const back = ({ detail: { ctx } }) => {
    const element = ctx?.sourceElement;
    const isRefused = !ctx?.response || ctx.response.status >= 400;
    if (before.has(element) && isRefused) element.setAttribute("aria-checked", before.get(element));
    before.delete(element);
  };
  document.addEventListener("htmx:after:request", back);
  document.addEventListener("htmx:error", back);
}
