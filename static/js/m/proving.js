// What matters wants a proof of the last 15 minutes. A form that would be refused for its age is held
// back, and the proof is asked for over the page: nothing that was typed is lost.

const GOOD_FOR_S = 14 * 60;
let provedUntil = 0;

function ask() {
  const headers = { "HX-Target": "dialog#modal" }; // htmx says it for elements alone
  window.htmx.ajax("GET", "/prove/", { target: "#modal", swap: "innerHTML", headers });
}

function hold(event) {
  const { submitter, target } = event;
  const after = Number(submitter?.dataset.proveAfter ?? target.dataset.proveAfter);
  if (!after || Date.now() / 1000 < Math.max(after, provedUntil)) return;
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
