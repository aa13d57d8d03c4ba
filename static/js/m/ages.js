// <time data-count="up" | "down" datetime="…">: ages and countdowns go on here, so that a list need
// not be sent again for them. They follow the server's clock: this computer's may be wrong.

const LATE_S = 30;
const behind = Number(document.body.dataset.now) * 1000 - Date.now();

function clock(seconds) {
  const two = (number) => String(number).padStart(2, "0");
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return `${hours ? `${hours}:${two(minutes)}` : minutes}:${two(seconds % 60)}`;
}

function count(element) {
  const seconds = (Date.now() + behind - Date.parse(element.dateTime)) / 1000;
  const isUp = element.dataset.count === "up";
  const left = Math.ceil(-seconds);
  if (isUp) element.textContent = clock(Math.max(0, Math.floor(seconds)));
  else element.textContent = left > 0 ? `in ${clock(left)}` : "now";
  element.classList.toggle("late", isUp && seconds >= LATE_S);
}

const countAll = () => document.querySelectorAll("time[data-count]").forEach(count);

export function countAges() {
  setInterval(countAll, 1000);
}
