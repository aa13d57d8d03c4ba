// data-key="n" on a button, link or field: the key clicks it, or focuses the field.
// Off while typing; while a dialog is open only what is inside it answers.

const FIELDS = "input, select, textarea";
const isTyping = (target) => target.isContentEditable || target.matches?.(FIELDS);

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  const scope = document.querySelector("dialog[open]") ?? document;
  const wanted = scope.querySelector(`[data-key="${CSS.escape(event.key)}"]:not(:disabled)`);
  if (!wanted) return;
  event.preventDefault();
  if (wanted.matches(FIELDS)) wanted.focus();
  else wanted.click();
}

export function listenForKeys() {
  document.addEventListener("keydown", press);
}
