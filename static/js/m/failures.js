// An answer that does not come is never silent: lists say that they are old, forms that nobody knows.

const headerOf = (source) => source.closest(".pane")?.querySelector("header");

function say(words) {
  const note = document.createElement("p");
  note.className = "note note-error";
  note.setAttribute("role", "alert");
  note.textContent = words;
  document.querySelector("#toasts")?.append(note);
}

function tell(source, status) {
  if (source.hasAttribute("hx-ptag")) headerOf(source)?.classList.add("stale");
  else if (status === 403) say("You may not do this, or the page is too old. Nothing was sent: reload it.");
  else if (source.matches("form")) {
    say("The answer did not arrive. Look at the list before sending again: it may have gone out.");
  } else say("The site does not answer. Try again.");
}

export function tellFailures() {
  document.addEventListener("htmx:response:error", ({ target, detail }) => {
    tell(target, detail.ctx?.response?.status);
  });
  document.addEventListener("htmx:error", ({ target, detail }) => {
    if (detail.ctx && !detail.ctx.response) tell(target);
  });
  document.addEventListener("htmx:after:request", ({ target, detail }) => {
    if (detail.ctx?.response?.status < 400) headerOf(target)?.classList.remove("stale");
  });
}
