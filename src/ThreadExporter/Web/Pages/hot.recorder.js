// The recorded hours above the table: a strip with the busiest thread of each part of them, and a slider over it. hot.js has the rest of the page.
"use strict";

const REFRESH = 60000;
// A moved slider asks when it rests, not for each step.
const REST = 150;
const moment = byId("moment");
const recorded = { from: 0, interval: 1000, timer: 0, rest: 0 };

const dateText = (date) => date.toLocaleString([], { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const timeAt = (value) => new Date(Math.min(recorded.to, recorded.from + value * recorded.interval));

function drawStrip(points) {
  const strip = byId("strip");
  strip.setAttribute("viewBox", `0 0 ${points.length} 100`);
  strip.replaceChildren(...points.map((point, i) => {
    if (point.intervals === 0) return null;
    const bar = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    // A thread that used a little is still to be seen.
    const height = Math.max(4, point.peak_share * 100);
    for (const [name, value] of [["x", i], ["y", 100 - height], ["width", 1], ["height", height]]) bar.setAttribute(name, String(value));
    bar.setAttribute("class", point.peak_share >= 0.9 ? "hot" : "");
    return bar;
  }).filter(Boolean));
}

function renderRecorder() {
  const isLive = view.at === null;
  document.body.classList.toggle("recorded", !isLive);
  byId("live").hidden = isLive;
  const shown = view.response?.recorded;
  if (isLive) moment.value = moment.max;
  else if (shown && document.activeElement !== moment) moment.value = String(Math.round((Date.parse(shown.at) - recorded.from) / recorded.interval));
  const text = isLive ? "Choose a moment in the strip." : shown && !view.error ? `Showing ${dateText(new Date(shown.from))} to ${timeText(new Date(shown.at))}, not the present.` : "Not the present.";
  setText(byId("recorder-text"), text);
  moment.setAttribute("aria-valuetext", isLive ? "live" : dateText(timeAt(Number(moment.value))));
}

async function loadStrip() {
  clearTimeout(recorded.timer);
  try {
    const response = await fetch("api/v1/recorder", { signal: AbortSignal.timeout(TIMEOUT), cache: "no-store" });
    const data = response.ok ? await response.json() : null;
    // The strip stays while the exporter does not respond.
    if (data) {
      const isOn = data.enabled && data.from !== null;
      byId("recorder").hidden = !isOn && view.at === null;
      if (isOn) showStrip(data);
    }
  } catch {
    // hot.js reports it.
  }
  recorded.timer = setTimeout(loadStrip, REFRESH);
}

function showStrip(data) {
  const at = Number(moment.value) * recorded.interval + recorded.from;
  [recorded.from, recorded.to, recorded.interval] = [Date.parse(data.from), Date.parse(data.to), data.interval_seconds * 1000];
  moment.max = String(Math.ceil((recorded.to - recorded.from) / recorded.interval));
  if (view.at !== null) moment.value = String(Math.round((at - recorded.from) / recorded.interval));
  drawStrip(data.points);
  setText(byId("strip-from"), dateText(new Date(recorded.from)));
  setText(byId("strip-to"), "now");
  renderRecorder();
}

// Shows a recorded moment; null: the present.
function goTo(at) {
  stop();
  view.at = at;
  view.error = null;
  view.touchedAt = -HOLD_TIME;
  writeUrl();
  render();
  if (!isPaused()) poll();
}

moment.addEventListener("input", () => {
  clearTimeout(recorded.rest);
  recorded.rest = setTimeout(() => goTo(timeAt(Number(moment.value)).toISOString().replace(/\.000Z$/, "Z")), REST);
});
byId("live").addEventListener("click", () => { goTo(null); moment.focus(); });

document.addEventListener("rendered", renderRecorder);
byId("recorder").hidden = view.at === null;
loadStrip();
