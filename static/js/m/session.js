// How long this page stays signed in. Every answer says what is left; before the end the page says
// so, and offers to stay. What the page asks for by itself is marked, for it is no use of it: polls
// and nudges are CustomEvents of htmx, and what a person does is none.

const WARN_MS = 120_000;
const strip = document.querySelector("#ending");
let endsAt = Infinity;
let longest = 0;
let hasAsked = false;

function mark({ detail: { ctx } }) {
  if (ctx.sourceEvent instanceof CustomEvent) ctx.request.headers["X-Unasked"] = "1";
}

function words(ms) {
  const seconds = Math.ceil(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function show() {
  const left = endsAt - Date.now();
  // Where a session lasts minutes the warning comes in its second half.
  const isNear = left <= Math.min(WARN_MS, longest / 2);
  strip.hidden = !isNear || document.documentElement.dataset.live === "ended";
  if (isNear) strip.querySelector("[data-left]").textContent = words(Math.max(left, 0));
  if (left > 0 || hasAsked) return;
  hasAsked = true; // the server knows whether it is over
  window.htmx.trigger(document.querySelector("#fleet"), "resync");
}

function hear({ detail: { ctx } }) {
  const left = ctx.response.headers.get("X-Session-Left");
  if (left === null) return;
  endsAt = Date.now() + 1000 * left;
  longest = Math.max(longest, 1000 * left);
  hasAsked = false;
  strip.dataset.mayLast = ctx.response.headers.get("X-Session-May-Last");
  show();
}

export function tellSessionEnd() {
  if (!strip) return;
  document.addEventListener("htmx:config:request", mark);
  document.addEventListener("htmx:after:request", hear);
  setInterval(show, 1000);
}
