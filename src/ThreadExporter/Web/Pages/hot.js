// The hot page: asks api/v1/hot about once a second and shows the answer. Names of threads are anybody's text, so all of it
// goes into the page as text, never as markup.
"use strict";

const byId = (id) => document.getElementById(id);
const table = byId("threads");
const body = table.tBodies[0];
const filter = byId("filter");
const rowsChoice = byId("rows");
const pause = byId("pause");

const STATES = { R: "running", S: "sleeping", D: "disk sleep", T: "stopped", t: "traced", Z: "zombie", I: "idle", X: "dead" };
const PATIENCE = 5000;
// Rows keep their places for so long after the last touch: nobody wants the row to move away under the finger.
const HOLD = 2500;

// All lines begin at the same time: the oldest point there is, within bounds.
const SHORTEST_SPAN = 30;

const view = { span: SHORTEST_SPAN, sort: "cpu", descending: true, chosen: null, answer: null, answeredAt: null, fault: null, touchedAt: -HOLD, timer: 0, request: 0 };
const shownRows = new Map();

const SORTS = {
  cpu: (t) => t.cpu_seconds,
  peak: (t) => Math.max(0, ...t.history),
  name: (t) => t.name,
  state: (t) => t.state,
  wait: (t) => t.wait_ratio ?? 0,
  saturated: (t) => t.saturated_seconds ?? 0,
  process: (t) => t.process,
  daemon: (t) => t.daemon,
  filter: (t) => t.filter,
};
const BY_TEXT = new Set(["name", "state", "process", "daemon", "filter"]);

// What is seen is kept in the address, so that it can be passed on.
function readAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  filter.value = given.get("filter") ?? "";
  const sort = (given.get("sort") ?? "").replace(/^-/, "");
  if (sort in SORTS) {
    view.sort = sort;
    view.descending = given.get("sort").startsWith("-");
  }
  if ([...rowsChoice.options].some((o) => o.value === given.get("n")))
    rowsChoice.value = given.get("n");
}

function writeAddress() {
  const kept = new URLSearchParams();
  if (filter.value) kept.set("filter", filter.value);
  if (view.sort !== "cpu" || !view.descending) kept.set("sort", (view.descending ? "-" : "") + view.sort);
  if (rowsChoice.value !== "50") kept.set("n", rowsChoice.value);
  const hash = kept.toString();
  history.replaceState(null, "", hash ? "#" + hash : location.pathname + location.search);
}

// --- Texts -----------------------------------------------------------------------------------------------------------

const percent = (ratio) => (ratio === null ? "–" : ratio >= 0.0995 ? `${Math.round(ratio * 100)}\u00a0%` : `${(ratio * 100).toFixed(1)}\u00a0%`);
const cores = (seconds, window) => (window > 0 ? percent(seconds / window) : "–");
const seconds = (s) => (s === null ? "–" : s > 0 && s < 10 ? `${s.toFixed(1)} s` : `${Math.round(s)} s`);
const stateText = (letter) => (letter in STATES ? `${letter} ${STATES[letter]}` : letter || "–");
const keyOf = (t) => `${t.pid}:${t.tid}`;
const timeText = (date) => date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const count = (n, one, many) => `${n} ${n === 1 ? one : many}`;

// As on a terminal: what would not be seen as itself, such as a bidirectional override, is shown as \u202E.
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\u034F\u115F\u1160\u17B4\u17B5\u3164\uFFA0]/gu;
const printable = (text) => text.replace(UNSEEN, (c) => c.split("").map((unit) => "\\u" + unit.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")).join(""));

// Writes only what has changed, so that a screen reader and a selection are left alone.
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

// A name that is written from right to left does not take the number behind it along.
function nameElement() {
  const made = element("span");
  made.dir = "auto";
  return made;
}

// Names in a sentence, in the places of odd number.
function setSentence(element, ...parts) {
  if (element.textContent === parts.join("")) return;
  element.replaceChildren(...parts.map((part, i) => {
    if (i % 2 === 0) return part;
    const made = nameElement();
    made.textContent = part;
    return made;
  }));
}

// --- Bars and lines --------------------------------------------------------------------------------------------------

function fillBar(bar, thread) {
  const divided = thread.user_ratio !== null;
  const wait = Math.min(thread.wait_ratio ?? 0, Math.max(0, 1 - thread.cpu_ratio));
  const parts = [["cpu", divided ? 0 : thread.cpu_ratio], ["user", thread.user_ratio ?? 0], ["kernel", thread.kernel_ratio ?? 0], ["wait", wait]];
  parts.forEach(([name, ratio], i) => {
    const part = bar.children[i] ?? bar.appendChild(element("span", name));
    part.style.width = `${ratio * 100}%`;
  });
}

function newSpark() {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 180 100");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("class", "spark");
  svg.setAttribute("aria-hidden", "true");
  for (const name of ["area", "line"]) {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("class", name);
    svg.append(path);
  }
  return svg;
}

// A line begins with one long point, so that the first of a history is seen, too.
function drawSpark(svg, history) {
  const x = (i) => (((view.span - history.length + i) * 180) / view.span).toFixed(1);
  const y = (share) => (98 - share * 0.096).toFixed(1);
  const line = `${x(0)},${y(history[0] ?? 0)}L` + history.map((share, i) => `${x(i + 1)},${y(share)}`).join("L");
  svg.querySelector(".line").setAttribute("d", history.length ? "M" + line : "");
  svg.querySelector(".area").setAttribute("d", history.length ? `M${x(0)},100L${line}L180,100Z` : "");
}

// --- The table -------------------------------------------------------------------------------------------------------

function newRow(thread) {
  const row = element("tr");
  row.setAttribute("role", "row");
  const cells = {};
  for (const [name, label] of [["cpu"], ["history"], ["name"], ["state", "State"], ["wait", "Waiting"], ["saturated", "Saturated"], ["process", "Process"], ["daemon", "Daemon"], ["rule", "Rule"]]) {
    const cell = element("td", "c-" + name);
    cell.setAttribute("role", "cell");
    if (label) cell.dataset.label = label;
    cells[name] = row.appendChild(cell);
  }
  const meter = cells.cpu.appendChild(element("div", "meter"));
  const number = meter.appendChild(element("span", "percent"));
  const bar = meter.appendChild(element("span", "bar"));
  bar.setAttribute("aria-hidden", "true");
  const modes = meter.appendChild(element("span", "hidden"));
  const spark = cells.history.appendChild(newSpark());
  const pick = cells.name.appendChild(element("button", "pick"));
  pick.type = "button";
  pick.append(nameElement(), " ", element("small"));
  pick.addEventListener("click", () => {
    view.chosen = keyOf(thread);
    render();
    // On a narrow screen the details stand above the table.
    const detail = byId("detail");
    if (detail.getBoundingClientRect().top < 0) detail.scrollIntoView();
  });
  cells.name.append(" ", element("span", "full", "full core"));
  cells.process.append(nameElement(), " ", element("small"));
  return { row, cells, meter, number, bar, modes, spark, pick };
}

function updateRow(parts, thread) {
  setText(parts.number, percent(thread.cpu_ratio));
  fillBar(parts.bar, thread);
  const modes = thread.user_ratio === null ? "" : `user ${percent(thread.user_ratio)}, kernel ${percent(thread.kernel_ratio)}`;
  setText(parts.modes, modes);
  parts.meter.title = modes;
  drawSpark(parts.spark, thread.history);
  setText(parts.pick.children[0], thread.name || "(no name)");
  setText(parts.pick.children[1], String(thread.tid));
  parts.cells.name.lastChild.hidden = thread.cpu_ratio < 0.9;
  setText(parts.cells.state, STATES[thread.state] ?? thread.state);
  setText(parts.cells.wait, percent(thread.wait_ratio));
  setText(parts.cells.saturated, seconds(thread.saturated_seconds));
  setText(parts.cells.process.children[0], thread.process);
  setText(parts.cells.process.children[1], String(thread.pid));
  setText(parts.cells.daemon, thread.daemon);
  setText(parts.cells.rule, thread.filter);
  const chosen = keyOf(thread) === view.chosen;
  parts.row.className = (chosen ? "chosen " : "") + (thread.cpu_ratio < 0.01 ? "faint" : "");
  parts.pick.setAttribute("aria-pressed", String(chosen));
}

function matching(threads) {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  return threads.filter((t) => {
    const text = [t.name, t.tid, t.process, t.pid, t.daemon, t.filter].join("\n").toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

function sorted(threads) {
  const value = SORTS[view.sort];
  const sign = view.descending ? -1 : 1;
  const compare = BY_TEXT.has(view.sort) ? (a, b) => value(a).localeCompare(value(b)) : (a, b) => value(a) - value(b);
  // The answer comes hottest first, and sorting keeps that order among equals.
  return [...threads].sort((a, b) => sign * compare(a, b));
}

function renderTable(threads) {
  const keys = new Set(threads.map(keyOf));
  for (const [key, parts] of shownRows) {
    if (!keys.has(key)) {
      parts.row.remove();
      shownRows.delete(key);
    }
  }
  for (const thread of threads) {
    const key = keyOf(thread);
    if (!shownRows.has(key)) {
      const parts = newRow(thread);
      shownRows.set(key, parts);
      body.append(parts.row);
    }
    updateRow(shownRows.get(key), thread);
  }
  if (performance.now() - view.touchedAt < HOLD) return;
  const focused = body.contains(document.activeElement) ? document.activeElement : null;
  threads.forEach((thread, i) => {
    const { row } = shownRows.get(keyOf(thread));
    if (body.children[i] !== row) body.insertBefore(row, body.children[i]);
  });
  // Moving a row takes the focus from what is in it.
  if (focused && document.activeElement !== focused) focused.focus({ preventScroll: true });
}

function renderHeads() {
  for (const button of table.tHead.querySelectorAll("button")) {
    const head = button.parentElement;
    if (button.dataset.sort === view.sort) head.setAttribute("aria-sort", view.descending ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  }
}

// --- The chosen thread -----------------------------------------------------------------------------------------------

function renderDetail(answer, shown) {
  const detail = byId("detail");
  const chosen = answer.threads.find((t) => keyOf(t) === view.chosen);
  if (!chosen) view.chosen = null;
  const thread = chosen ?? shown[0];
  detail.hidden = !thread;
  if (!thread) return;
  detail.dataset.hot = String(thread.cpu_ratio >= 0.5);
  setText(byId("detail-why"), chosen ? "Chosen thread" : thread === answer.threads[0] ? "Hottest thread" : "First of the table");
  byId("follow").hidden = !chosen;
  setText(byId("detail-name"), thread.name || "(no name)");
  const isOther = thread.daemon !== thread.process;
  setSentence(byId("detail-of"), `thread ${thread.tid} of `, thread.process, ` ${thread.pid}${isOther ? ", daemon " : ""}`, isOther ? thread.daemon : "", ", rule ", thread.filter);
  setText(byId("detail-cpu"), percent(thread.cpu_ratio));
  drawSpark(byId("detail-chart"), thread.history);
  const since = view.span * answer.interval_seconds;
  setText(byId("detail-since"), since < 100 ? `${Math.round(since)} s ago` : `${(since / 60).toFixed(1)} min ago`);
  setText(byId("detail-user"), percent(thread.user_ratio));
  setText(byId("detail-kernel"), percent(thread.kernel_ratio));
  setText(byId("detail-wait"), percent(thread.wait_ratio));
  setText(byId("detail-state"), stateText(thread.state));
  setText(byId("detail-saturated"), seconds(thread.saturated_seconds));
  setValue(byId("perf"), `perf record -g -t ${thread.tid} -- sleep 10`);
  setValue(byId("pidstat"), `pidstat -t -p ${thread.pid} 1`);
  renderBooks(answer, thread);
}

function setValue(input, value) {
  if (input.value !== value) input.value = value;
}

// All of the process's CPU time in the window, divided so that nothing is left over.
function renderBooks(answer, thread) {
  const process = answer.processes.find((p) => p.pid === thread.pid);
  const window = answer.window_seconds;
  setSentence(byId("books-title"), "Where the CPU of ", process.name, ` ${process.pid} went: ${cores(process.cpu_seconds, window)} of a core, ${count(process.threads, "thread", "threads")}`);
  const others = answer.threads.filter((t) => t.pid === thread.pid && t !== thread && t.cpu_seconds > 0);
  const named = others.filter((t) => t.cpu_seconds >= process.cpu_seconds / 100).slice(0, 4);
  const more = others.slice(named.length);
  const parts = [["part-this", ` ${thread.tid}`, thread.cpu_seconds, thread.name]];
  for (const other of named) parts.push(["part-shown", ` ${other.tid}`, other.cpu_seconds, other.name]);
  if (more.length > 0) parts.push(["part-more", `${more.length} more of the hottest`, more.reduce((sum, t) => sum + t.cpu_seconds, 0)]);
  parts.push(["part-other", "other threads", process.other_threads_seconds]);
  parts.push(["part-rest", process.unattributed_seconds === null ? "exited threads (unknown here)" : "exited or new threads", process.unattributed_seconds]);
  const bar = byId("books");
  const list = byId("books-parts");
  parts.forEach(([name, text, time, ofThread], i) => {
    const piece = bar.children[i] ?? bar.appendChild(element("div"));
    piece.className = name;
    piece.style.flexGrow = String(((time ?? 0) / process.cpu_seconds) * 1000);
    piece.hidden = !time;
    const item = list.children[i] ?? list.appendChild(element("li"));
    if (!item.firstChild) item.append(element("i"), element("span"), element("b"));
    item.children[0].className = "swatch " + name;
    setSentence(item.children[1], "", ofThread ?? "", text);
    setText(item.children[2], time === null ? "–" : cores(time, window));
  });
  while (bar.children.length > parts.length) bar.lastChild.remove();
  while (list.children.length > parts.length) list.lastChild.remove();
}

// --- The whole -------------------------------------------------------------------------------------------------------

function render() {
  renderStatus();
  renderHeads();
  const answer = view.answer;
  if (!answer) return;
  view.span = Math.max(SHORTEST_SPAN, ...answer.threads.map((t) => t.history.length));
  const threads = matching(answer.threads);
  const shown = sorted(threads);
  renderTable(shown);
  renderDetail(answer, shown);
  table.hidden = shown.length === 0;
  const watched = `${count(answer.watched.threads, "thread", "threads")} of ${count(answer.watched.processes, "process", "processes")}`;
  setText(byId("caption"), `${shown.length} of the ${count(answer.threads.length, "hottest thread", "hottest threads")}, averages of the last ${Number(answer.window_seconds.toFixed(1))} s; watched: ${watched}`);
  renderNothing(answer, shown);
  if (shown.length > 0) document.title = `${percent(shown[0].cpu_ratio)} ${shown[0].name} · hot threads`;
}

function renderNothing(answer, shown) {
  const filtered = shown.length === 0 && answer.threads.length > 0;
  byId("nothing").hidden = shown.length > 0;
  byId("clear").hidden = !filtered;
  let text = "";
  if (filtered) text = `None of the ${count(answer.threads.length, "hottest thread", "hottest threads")} matches “${printable(filter.value)}”.`;
  else if (answer.watched.filters === 0) text = "Nothing is watched, because no filter is given. The overview says how to add one.";
  else if (answer.warming_up) text = "Measuring…";
  else if (answer.watched.processes === 0) text = "Nothing is watched, because no filter matches a process. The overview says what each filter looks for.";
  else text = `None of the ${count(answer.watched.threads, "watched thread", "watched threads")} has run in the last minutes.`;
  setText(byId("nothing-text"), text);
}

function renderStatus() {
  const isPaused = pause.getAttribute("aria-pressed") === "true";
  const state = view.fault ? "away" : isPaused ? "paused" : view.answer && !view.answer.warming_up ? "live" : "measuring";
  const status = byId("status");
  status.dataset.state = state;
  setText(byId("status-text"), { away: "No answer", paused: "Paused", live: "Live", measuring: "Measuring…" }[state]);
  setText(byId("clock"), view.answeredAt && !view.fault ? timeText(view.answeredAt) : "");
  document.body.classList.toggle("away", state === "away");
  const notice = byId("notice");
  const reload = view.answer && !view.answer.watched.last_reload_successful;
  notice.hidden = !view.fault && !reload;
  if (view.fault) setText(notice, view.fault);
  else if (reload) setText(notice, "The last reload of the configuration failed: the old filters are in force. The overview says where the fault is.");
}

// --- Asking ----------------------------------------------------------------------------------------------------------

async function ask() {
  clearTimeout(view.timer);
  const request = ++view.request;
  let wait = 1000;
  try {
    const response = await fetch(`api/v1/hot?n=${rowsChoice.value}`, { signal: AbortSignal.timeout(PATIENCE), cache: "no-store" });
    if (request !== view.request) return;
    if (!response.ok) throw new Error(`The exporter answered ${response.status}`);
    const answer = await response.json();
    for (const one of [...answer.threads, ...answer.processes]) {
      for (const key of ["name", "process", "daemon", "filter"]) if (key in one) one[key] = printable(one[key]);
    }
    if (request !== view.request) return;
    view.answer = answer;
    view.answeredAt = new Date();
    view.fault = null;
    wait = answer.warming_up ? 300 : Math.max(1000, answer.interval_seconds * 1000);
  } catch (error) {
    if (request !== view.request) return;
    const last = view.answeredAt ? ` What you see is of ${timeText(view.answeredAt)}.` : "";
    const why = error.message.startsWith("The exporter answered") ? error.message : "The exporter does not answer";
    view.fault = `${why}. Asking again every 2 seconds.${last}`;
    wait = 2000;
  }
  render();
  if (!document.hidden && pause.getAttribute("aria-pressed") !== "true") view.timer = setTimeout(ask, wait);
}

function stop() {
  clearTimeout(view.timer);
  view.request++;
}

async function copy(button) {
  const input = byId(button.dataset.copy);
  input.select();
  let done = false;
  // The clipboard's own interface is there on https and localhost only.
  if (navigator.clipboard) done = await navigator.clipboard.writeText(input.value).then(() => true, () => false);
  done ||= document.execCommand("copy");
  const label = button.firstChild;
  label.data = done ? "Copied" : "Selected";
  setTimeout(() => { label.data = "Copy"; }, 1500);
}

pause.addEventListener("click", () => {
  const pressed = pause.getAttribute("aria-pressed") !== "true";
  pause.setAttribute("aria-pressed", String(pressed));
  if (pressed) stop();
  else ask();
  render();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) stop();
  else if (pause.getAttribute("aria-pressed") !== "true") ask();
});
filter.addEventListener("input", () => { view.touchedAt = -HOLD; writeAddress(); render(); });
rowsChoice.addEventListener("change", () => { writeAddress(); if (pause.getAttribute("aria-pressed") !== "true") ask(); });
byId("controls").addEventListener("submit", (event) => event.preventDefault());
byId("clear").addEventListener("click", () => { filter.value = ""; writeAddress(); render(); filter.focus(); });
byId("follow").addEventListener("click", () => { view.chosen = null; render(); });
table.tHead.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  view.descending = view.sort === button.dataset.sort ? !view.descending : !BY_TEXT.has(button.dataset.sort);
  view.sort = button.dataset.sort;
  view.touchedAt = -HOLD;
  writeAddress();
  render();
});
for (const touch of ["pointermove", "pointerdown", "keydown"]) body.addEventListener(touch, () => { view.touchedAt = performance.now(); });
for (const button of document.querySelectorAll("[data-copy]")) button.addEventListener("click", () => copy(button));

setText(byId("host"), location.host);
readAddress();
renderHeads();
ask();
