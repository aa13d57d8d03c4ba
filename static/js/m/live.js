// The stream of nudges names panels, which then ask for themselves. After each connect all of them
// ask once, for what changed meanwhile. The lamp says how it stands: LIVE, RECONNECTING (the
// panels ask every 15 s meanwhile), or STALE, which every pane says too.

const TRY_AGAIN_MS = 30_000;
const STALE_MS = 30_000;
const WORDS = {
  connecting: "CONNECTING",
  live: "LIVE",
  reconnecting: "RECONNECTING",
  stale: "STALE",
  ended: "SIGNED OUT",
};
const ICONS = {
  connecting: "st-queued",
  live: "st-filled",
  reconnecting: "st-expired",
  stale: "st-failed",
  ended: "st-failed",
};

const live = document.querySelector("#live");
const lamp = document.querySelector("#lamp");
let heardAt = Date.now();
let isStreaming = false;
let hasEnded = false;
let hasTried = false;

const isOffline = () => navigator.onLine === false;

function state() {
  if (hasEnded) return "ended";
  if (Date.now() - heardAt > STALE_MS) return "stale";
  if (isStreaming && !isOffline()) return "live";
  return hasTried || isOffline() ? "reconnecting" : "connecting";
}

function show() {
  const now = state();
  document.documentElement.dataset.live = now;
  if (!lamp || lamp.dataset.state === now) return;
  lamp.dataset.state = now;
  lamp.querySelector("i").className = `st ${ICONS[now]}`;
  lamp.querySelector("b").textContent = WORDS[now];
}

function hear() {
  heardAt = Date.now();
  show();
}

// The figures of a ticket are none of these: they follow the market, not what happens here.
function resync() {
  const panels = document.querySelectorAll('[hx-get][hx-trigger*="resync"]');
  for (const panel of panels) window.htmx.trigger(panel, "resync");
}

function connected() {
  isStreaming = hasTried = true;
  hear();
  resync();
}

function lost() {
  isStreaming = false;
  hasTried = true;
  show();
}

// A first connect that fails is not repeated by htmx.
function connectAgain() {
  const isOpen = Boolean(live._htmx?.sse);
  if (!isOpen && !hasEnded && !document.hidden) window.htmx.process(live);
}

// Says it plainly; the page stays as it is, and nothing asks any more.
function end() {
  if (hasEnded) return;
  hasEnded = true;
  const strip = document.querySelector("#ended");
  const back = encodeURIComponent(location.pathname + location.search);
  strip.querySelector("a").search = `?next=${back}`;
  strip.hidden = false;
  show();
}

function onError({ detail }) {
  if (detail.status === 401) end();
  lost();
}

function onConnecting(event) {
  if (hasEnded) event.preventDefault();
}

// Whatever the server answers, it is there; only what is broken on its side is no answer.
function onAnswer({ detail: { ctx } }) {
  if (ctx.response.status === 401) end();
  if (ctx.response.status < 500) hear();
  if (ctx.sourceElement === live) lost(); // a stream's answer goes another way
}

function onRequest(event) {
  const isRead = event.detail.ctx.request.method === "GET";
  if (hasEnded && isRead) event.preventDefault();
}

export const isStale = () => state() === "stale";

// What is sent on old figures is asked for once more.
function askOnceMore(event) {
  if (!event.target.closest?.("[data-sends]") || !isStale()) return;
  const seconds = Math.floor((Date.now() - heardAt) / 1000);
  if (confirm(`What you see is ${seconds} s old. Send all the same?`)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}

function onNoAnswer({ detail: { ctx } }) {
  if (ctx?.sourceElement === live) lost();
}

export function follow() {
  if (!live) return;
  live.addEventListener("hello", connected);
  live.addEventListener("resync", resync);
  live.addEventListener("ended", resync); // it may only have another key: the answers say so
  document.addEventListener("htmx:sse:before:connection", onConnecting);
  document.addEventListener("htmx:sse:after:message", hear);
  document.addEventListener("htmx:sse:error", onError);
  document.addEventListener("htmx:sse:close", lost);
  document.addEventListener("htmx:before:request", onRequest);
  document.addEventListener("htmx:after:request", onAnswer);
  document.addEventListener("htmx:error", onNoAnswer);
  document.addEventListener("click", askOnceMore, true);
  addEventListener("online", resync);
  for (const name of ["online", "offline"]) addEventListener(name, show);
  if (live._htmx?.sse) connected(); // it greeted before this module was there to hear it
  setInterval(show, 1000);
  setInterval(connectAgain, TRY_AGAIN_MS);
}
