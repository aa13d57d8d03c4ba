// <time data-count="up" | "down" | "age" datetime="…">: ages and countdowns go on here, so that a
// list need not be sent again for them. An age that names its beat begins again when that has run.

import { now, tick } from "./clock.js";

const LATE_S = 30;
const UNITS = [
  ["d", 86_400],
  ["h", 3600],
  ["m", 60],
];

function clock(seconds) {
  const two = (number) => String(number).padStart(2, "0");
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return `${hours ? `${hours}:${two(minutes)}` : minutes}:${two(seconds % 60)}`;
}

function age(seconds) {
  const [unit, size] = UNITS.find(([, size]) => seconds >= size) ?? ["s", 1];
  return `${Math.floor(Math.max(0, seconds) / size)}${unit}`;
}

function count(element) {
  const seconds = (now() - Date.parse(element.dateTime)) / 1000;
  const way = element.dataset.count;
  const left = Math.ceil(-seconds);
  if (way === "age") element.textContent = age(seconds);
  else if (way === "up") element.textContent = clock(Math.max(0, Math.floor(seconds)));
  else element.textContent = left > 0 ? `in ${clock(left)}` : "now";
  const late = Number(element.dataset.late ?? (way === "up" ? LATE_S : Infinity));
  element.classList.toggle("late", seconds >= late);
}

function countAll() {
  document.querySelectorAll("time[data-count]").forEach(count);
  tick();
}

// What the stream tells of a beat: its name, and when it ran, in seconds.
function beginAgain({ detail }) {
  const [beat, at] = detail.data.split(":");
  for (const element of document.querySelectorAll(`time[data-beat="${CSS.escape(beat)}"]`)) {
    element.dateTime = new Date(Number(at) * 1000).toISOString();
    count(element);
  }
}

export function countAges() {
  setInterval(countAll, 1000);
  document.querySelector("#live")?.addEventListener("beat", beginAgain);
}
