// The stream of nudges: it names panels, which then ask for themselves. After each connect every
// panel asks once, for what changed meanwhile.

const TRY_AGAIN_MS = 30_000;
const live = document.querySelector("#live");

function resync() {
  for (const panel of document.querySelectorAll("[hx-ptag]")) window.htmx.trigger(panel, "resync");
}

// A first connect that fails is not repeated by htmx.
function connectAgain() {
  if (!live._htmx?.sse && document.visibilityState === "visible") window.htmx.process(live);
}

export function follow() {
  if (!live) return;
  for (const word of ["hello", "resync"]) live.addEventListener(word, resync);
  setInterval(connectAgain, TRY_AGAIN_MS);
}
