// The plot of what the fleet was worth: uPlot draws it when it is unfolded, with crosshair and zoom.
// Without a script the server's own drawing stays.

const money = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" });
const short = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 2 });
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const HEIGHT = 160;

let plot = null;

function eastern(seconds) {
  return window.uPlot.tzDate(new Date(seconds * 1000), "America/New_York");
}

const moment = new Intl.DateTimeFormat("en-US", {
  timeZone: "America/New_York",
  month: "short",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});
const words = (seconds) => moment.format(seconds * 1000).replace(",", "");

function tell({ cursor: { idx }, data: [times, values] }) {
  const shown = idx == null ? "" : `${words(times[idx])} ET  ${money.format(values[idx])}`;
  document.querySelector("#aum-now").textContent = shown;
}

// A clock within days, dates beyond.
function times({ scales: { x } }, ticks) {
  const isLong = x.max - x.min > 3 * 86_400;
  return ticks.map((tick) => (isLong ? words(tick).slice(0, 6) : words(tick).slice(-5)));
}

function axis(more) {
  const lines = { stroke: colour("--line"), width: 1 };
  const font = `11px ${colour("--mono")}`;
  return { stroke: colour("--text-2"), font, grid: lines, ticks: lines, ...more };
}

const dollars = (_, ticks) => ticks.map((tick) => short.format(tick));

function options(width) {
  return {
    width,
    height: HEIGHT,
    tzDate: eastern,
    legend: { show: false },
    hooks: { setCursor: [tell] },
    cursor: { y: false, points: { size: 6 } },
    series: [{}, { stroke: colour("--cyan"), width: 1.5, points: { show: false } }],
    axes: [axis({ values: times, size: 26 }), axis({ values: dollars, size: 64, space: 28 })],
  };
}

function draw(place, { at, value }) {
  plot?.destroy();
  plot = null;
  if (at.length < 2) {
    const words = document.createElement("p");
    words.className = "muted";
    words.textContent = "There is no history of this time yet.";
    place.replaceChildren(words);
    return;
  }
  place.replaceChildren();
  plot = new window.uPlot(options(place.clientWidth - 16), [at, value], place);
}

function bring(address) {
  return new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = address;
    script.onload = done;
    script.onerror = failed;
    document.head.append(script);
  });
}

const wanted = (details) => details.querySelector("[data-span][aria-current]").dataset.span;

function want(details, span) {
  for (const link of details.querySelectorAll("[data-span]")) {
    if (link.dataset.span === span) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

async function load(details, span) {
  want(details, span);
  const answer = await fetch(`${details.dataset.src}?span=${span}`);
  if (!answer.ok) return;
  if (!window.uPlot) await bring(details.dataset.uplot);
  const worth = await answer.json();
  if (wanted(details) === span) draw(details.querySelector("#aum-plot"), worth); // or else too late
}

export function drawWorth() {
  const details = document.querySelector("#aum");
  if (!details) return;
  if (details.open) load(details, wanted(details));
  details.addEventListener("toggle", () => {
    if (details.open && !plot) load(details, wanted(details));
  });
  details.addEventListener("click", (event) => {
    const link = event.target.closest("[data-span]");
    if (!link) return;
    event.preventDefault();
    load(details, link.dataset.span);
  });
  addEventListener("resize", () => plot?.setSize({ width: details.clientWidth - 32, height: HEIGHT }));
}
