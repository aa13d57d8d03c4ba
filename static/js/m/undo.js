// <form data-undo="3"> in a dialog sends itself after so many seconds, unless the dialog is closed,
// its field is touched or it leaves the page. The button in it that has [data-seconds] counts down.

const begun = new WeakSet();

function begin(form) {
  begun.add(form);
  const shown = form.querySelector("[data-seconds]");
  let left = Number(form.dataset.undo);
  const timer = setInterval(() => {
    const isGone = !form.isConnected || !form.closest("dialog")?.open;
    if (isGone || form.dataset.undo === "") return clearInterval(timer);
    left -= 1;
    if (shown) shown.textContent = left;
    if (left > 0) return undefined;
    clearInterval(timer);
    return form.requestSubmit();
  }, 1000);
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
