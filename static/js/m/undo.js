// <form data-undo="3"> in a dialog sends itself after so many seconds, unless the dialog is closed,
// something else in it is clicked, it leaves the page, or the page is too old to send by. What its
// [data-going] says is counted down, or that it goes no more.

import { isStale } from "./live.js";

const STOPPED = "does not go out: you stopped it.";
const TOO_OLD = "does not go out: what you see is too old. Look first.";
// So much later than it should a countdown may end; the machine slept if it is more.
const LATE_MS = 3000;
const begun = new WeakSet();

function begin(form) {
  begun.add(form);
  const says = form.querySelector("[data-going]");
  let left = Number(form.dataset.undo);
  const until = Date.now() + left * 1000 + LATE_MS;
  const timer = setInterval(() => {
    if (!form.isConnected || !form.closest("dialog")?.open) return clearInterval(timer);
    // What was heard since the machine woke up makes the page fresh, not what this form shows.
    if (isStale() || Date.now() > until) return stop(TOO_OLD);
    left -= 1;
    says.querySelector("[data-seconds]").textContent = left;
    if (left > 0) return undefined;
    clearInterval(timer);
    return form.requestSubmit();
  }, 1000);
  function stop(words) {
    clearInterval(timer);
    if (left > 0) says.textContent = words;
  }
  form.addEventListener("click", ({ target }) => {
    if (!target.closest("[type=submit]")) stop(STOPPED);
  });
}

function look() {
  for (const form of document.querySelectorAll("dialog[open] form[data-undo]")) {
    if (!begun.has(form)) begin(form);
  }
}

export function countDown() {
  new MutationObserver(look).observe(document.querySelector("#modal"), {
    attributeFilter: ["open"],
    childList: true,
    subtree: true,
  });
}
