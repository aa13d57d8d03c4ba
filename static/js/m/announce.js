// What [data-say] says is read out when it changes: "41 of 45 filled" once, not 45 messages.

const EVERY_MS = 3000;
const region = document.querySelector("#said");
const heard = new Map();
let saidAt = 0;
let waiting = 0;

function saying() {
  const words = [];
  for (const element of document.querySelectorAll("[data-say]")) {
    const key = element.id || element.dataset.sayAs || "";
    const now = element.dataset.say;
    if (heard.has(key) && heard.get(key) !== now && now) words.push(now);
    heard.set(key, now);
  }
  return words;
}

function say() {
  waiting = 0;
  const words = saying();
  if (!words.length) return;
  saidAt = Date.now();
  region.textContent = words.join(". ");
}

function listen() {
  if (!waiting) waiting = setTimeout(say, Math.max(50, saidAt + EVERY_MS - Date.now()));
}

export function announce() {
  if (!region) return;
  saying();
  document.addEventListener("htmx:after:swap", listen);
}
