// What matters wants a proof of the last 15 minutes. A form that would be refused for its age is held
// back, and the proof is asked for over the page: nothing that was typed is lost.

const GOOD_FOR_S = 14 * 60;
let provedUntil = 0;

function ask() {
  const headers = { "HX-Target": "dialog#modal" }; // htmx says it for elements alone
  window.htmx.ajax("GET", "/prove/", { target: "#modal", swap: "innerHTML", headers });
}

// Whether a form wants one as it is filled in: data-prove-if="name=value&…", or always.
function matters(form) {
  const filledIn = new FormData(form);
  const wanted = [...new URLSearchParams(form.dataset.proveIf)];
  return wanted.every(([name, value]) => filledIn.get(name) === value);
}

function hold(event) {
  const { submitter, target } = event;
  const after = Number(submitter?.dataset.proveAfter ?? target.dataset.proveAfter);
  if (!after || Date.now() / 1000 < Math.max(after, provedUntil) || !matters(target)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  ask();
}

export function askForProof() {
  document.addEventListener("submit", hold, true);
  document.addEventListener("proveFirst", ask);
  document.addEventListener("proved", () => {
    provedUntil = Date.now() / 1000 + GOOD_FOR_S;
  });
}
