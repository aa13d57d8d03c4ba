// An answer that does not come is never silent: a panel's header says since when it is old, and a
// toast says of everything else that nobody knows. Refusals (4xx) are words of the server, shown in
// place. A panel is what asks by itself, and again on `resync`.

import { eastern, now } from "./clock.js";

const updatedAt = new WeakMap();
const subjects = new WeakMap(); // of a note in a header: the panel that it is about
const openedAt = now();

const headerOf = (source) => source.closest(".pane, .modal")?.querySelector("header");
const isPanel = (source) => source.matches('[hx-trigger*="resync"]');

function say(words) {
  const note = document.createElement("p");
  note.className = "note note-error";
  note.setAttribute("role", "alert");
  note.textContent = words;
  document.querySelector("#toasts")?.append(note);
}

function retry(panel) {
  const button = document.createElement("button");
  button.className = "btn btn-small";
  button.type = "button";
  button.textContent = "Retry";
  button.addEventListener("click", () => window.htmx.trigger(panel, "resync"));
  return button;
}

function markOld(panel) {
  const header = headerOf(panel);
  if (!header || header.querySelector(".outdated")) return;
  const note = document.createElement("span");
  note.className = "outdated";
  note.setAttribute("role", "status");
  note.append(`! not updated since ${eastern(updatedAt.get(panel) ?? openedAt)} · `, retry(panel));
  subjects.set(note, panel);
  header.insertBefore(note, header.querySelector(":scope > [data-close]"));
}

function tell(source) {
  if (source.id === "live") return;
  if (isPanel(source)) return markOld(source);
  const trades = source.closest("#modal, #ticket") && source.closest("form, [form]");
  if (trades && source.matches("form, button")) {
    say("The answer did not arrive. Look at the list before sending again: it may have gone out.");
  } else say("The site does not answer. Try again, or reload the page.");
}

function onAnswer({ detail: { ctx } }) {
  const source = ctx.sourceElement;
  if (ctx.response.status >= 500 || !isPanel(source)) return;
  updatedAt.set(source, now());
  const note = headerOf(source)?.querySelector(".outdated");
  if (subjects.get(note) === source) note.remove();
}

// A panel that was swapped away, as a ticket is by its review, is not old any more.
function forgetGone() {
  for (const note of document.querySelectorAll(".outdated")) {
    if (!subjects.get(note).isConnected) note.remove();
  }
}

export function tellFailures() {
  document.addEventListener("htmx:response:error", ({ detail: { ctx } }) => {
    if (ctx.response.status >= 500) tell(ctx.sourceElement);
  });
  document.addEventListener("htmx:error", ({ detail: { ctx } }) => {
    if (ctx && !ctx.response) tell(ctx.sourceElement);
  });
  document.addEventListener("htmx:after:request", onAnswer);
  document.addEventListener("htmx:after:swap", forgetGone);
}
