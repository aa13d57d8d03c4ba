// The dialog that the server fills: it opens when something was swapped into it, the answer's
// header `HX-Trigger: {"closeModal":{}}` closes it, and the focus goes back to where it came from.

const modal = document.querySelector("#modal");
let opener = null;

function open() {
  if (!modal.firstElementChild || modal.open) return;
  opener = document.activeElement;
  modal.showModal();
}

function forget() {
  modal.replaceChildren();
  if (opener?.isConnected) opener.focus();
  opener = null;
}

export function openDialogs() {
  if (!modal) return;
  document.addEventListener("htmx:after:swap", open);
  document.addEventListener("closeModal", () => modal.close());
  modal.addEventListener("close", forget);
  modal.addEventListener("click", (event) => {
    if (event.target.closest("[data-close]")) modal.close();
  });
}
