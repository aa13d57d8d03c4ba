// An answer that does not come is never silent: a list says that it is old, the ticket that nobody
// knows. Refusals (4xx) are words of the server, shown in place.

const headerOf = (source) => source.closest(".pane")?.querySelector("header");

function say(words) {
  const note = document.createElement("p");
  note.className = "note note-error";
  note.setAttribute("role", "alert");
  note.textContent = words;
  document.querySelector("#toasts")?.append(note);
}

function tell(source) {
  const isTicket = Boolean(source.closest("#ticket"));
  if (isTicket && source.matches("form")) {
    say("The answer did not arrive. Look at the list before sending again: it may have gone out.");
  } else if (isTicket || source.matches("form")) say("The site does not answer. Reload the page.");
  else headerOf(source)?.classList.add("stale");
}

export function tellFailures() {
  document.addEventListener("htmx:response:error", ({ detail: { ctx } }) => {
    if (ctx.response.status >= 500) tell(ctx.sourceElement);
  });
  document.addEventListener("htmx:error", ({ detail: { ctx } }) => {
    if (ctx && !ctx.response) tell(ctx.sourceElement);
  });
  document.addEventListener("htmx:after:request", ({ detail: { ctx } }) => {
    if (ctx.response.status < 400) headerOf(ctx.sourceElement)?.classList.remove("stale");
  });
}
