// A switch shows at once what it was told to be, and goes back if the server refuses.

const isSwitch = (element) => element?.matches?.('[role="switch"]');

function flip(element) {
  const isOn = element.getAttribute("aria-checked") === "true";
  element.setAttribute("aria-checked", String(!isOn));
}

export function flipSwitches() {
  const waiting = new Set();
  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
    if (!isSwitch(ctx.sourceElement)) return;
    waiting.add(ctx.sourceElement);
    flip(ctx.sourceElement);
  });
  const back = ({ detail: { ctx } }) => {
    const isRefused = !ctx?.response || ctx.response.status >= 400;
    if (waiting.delete(ctx?.sourceElement) && isRefused) flip(ctx.sourceElement);
  };
  document.addEventListener("htmx:after:request", back);
  document.addEventListener("htmx:error", back);
}
