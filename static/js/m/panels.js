// Sorting and filtering (hx-sync="…:replace") stop the refresh of their panel that is on its way: it
// would bring back what was wished before. A refresh that waits for them until they are done asks
// for what is wished by then.

function wished(panel) {
  const address = new URL(panel.getAttribute("hx-get"), document.baseURI);
  const form = document.querySelector(panel.getAttribute("hx-include") ?? "#none");
  for (const [name, value] of form ? new FormData(form) : []) address.searchParams.append(name, value);
  return address.pathname + address.search;
}

export function askForWhatIsWished() {
  document.addEventListener("htmx:before:request", ({ detail: { ctx } }) => {
    const panel = ctx.sourceElement; // the event's target is another one where it has left the page
    if (panel.matches('[hx-get][hx-trigger*="resync"]:not(form *)')) ctx.request.action = wished(panel);
  });
}
