// The server's clock, whatever this computer's says; and its hands in New York.

const behind = Number(document.body.dataset.now) * 1000 - Date.now();
const NEW_YORK = new Intl.DateTimeFormat("en-GB", {
  timeZone: "America/New_York",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});

export const now = () => Date.now() + behind;
export const eastern = (at) => NEW_YORK.format(at);

export function tick() {
  for (const clock of document.querySelectorAll("[data-clock]")) {
    clock.textContent = `${eastern(now())} ET`;
  }
}
