// The hot page: polls api/v1/hot about once a second and shows the response. Thread names are untrusted, so they are inserted
// as text, never as markup.
"use strict";

const byId = (id) => document.getElementById(id);
const table = byId("threads");
const body = table.tBodies[0];
const search = byId("filter");
const rowsChoice = byId("rows");
const pause = byId("pause");

const STATES = { R: "running", S: "sleeping", D: "disk sleep", T: "stopped", t: "traced", Z: "zombie", I: "idle", X: "dead" };
const VERDICTS = ["busy", "throttled", "starved", "blocked", "running", "idle"];
const TIMEOUT = 5000;
// Rows keep their order for this long after the last input, so that a row does not move away under the pointer.
const HOLD_TIME = 2500;

// All charts start at the same time: the oldest point of any thread, but at least this many points back.
const MIN_SPAN = 30;

const view = { span: MIN_SPAN, sort: "cpu", descending: true, selected: null, response: null, receivedAt: null, error: null, touchedAt: -HOLD_TIME, timer: 0, request: 0,
  // The recorded moment that is shown; null: live. hot.recorder.js has the strip of recorded hours.
  at: null, notRecorded: false };
const shownRows = new Map();

const SORTS = {
  cpu: (t) => t.cpu_seconds,
  peak: (t) => Math.max(0, ...t.history),
  name: (t) => t.name,
  // The order in which a person would look at them.
  verdict: (t) => VERDICTS.length - VERDICTS.indexOf(t.verdict),
  wait: (t) => t.wait_ratio ?? 0,
  saturated: (t) => t.saturated_seconds ?? 0,
  process: (t) => t.process,
  daemon: (t) => t.daemon,
  filter: (t) => t.filter,
};
const BY_TEXT = new Set(["name", "process", "daemon", "filter"]);

// The view is kept in the URL, so that a link to it can be shared.
function readUrl() {
  view.at = new URLSearchParams(location.search).get("at");
  const saved = new URLSearchParams(location.hash.slice(1));
  search.value = saved.get("filter") ?? "";
  const sort = (saved.get("sort") ?? "").replace(/^-/, "");
  if (sort in SORTS) {
    view.sort = sort;
    view.descending = saved.get("sort").startsWith("-");
  }
  if ([...rowsChoice.options].some((o) => o.value === saved.get("n")))
    rowsChoice.value = saved.get("n");
}

function writeUrl() {
  const params = new URLSearchParams();
  if (search.value) params.set("filter", search.value);
  if (view.sort !== "cpu" || !view.descending) params.set("sort", (view.descending ? "-" : "") + view.sort);
  if (rowsChoice.value !== "50") params.set("n", rowsChoice.value);
  const hash = params.toString();
  const query = view.at === null ? "" : "?at=" + view.at.replaceAll("+", "%2B");
  history.replaceState(null, "", location.pathname + query + (hash && "#" + hash));
}

// --- Texts -----------------------------------------------------------------------------------------------------------

const percent = (ratio) => (ratio === null ? "–" : ratio >= 0.0995 ? `${Math.round(ratio * 100)}\u00a0%` : `${(ratio * 100).toFixed(1)}\u00a0%`);
const cores = (seconds, window) => (window > 0 ? percent(seconds / window) : "–");
const seconds = (s) => (s === null ? "–" : s > 0 && s < 10 ? `${s.toFixed(1)} s` : `${Math.round(s)} s`);
const stateText = (letter) => (letter in STATES ? `${letter} ${STATES[letter]}` : letter || "–");
const keyOf = (t) => `${t.pid}:${t.tid}`;
const timeText = (date) => date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const count = (n, one, many) => `${n} ${n === 1 ? one : many}`;

// Escapes invisible characters, such as a bidirectional override, as \u202E: the same as the command line does.
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}\u034F\u115F\u1160\u17B4\u17B5\u3164\uFFA0]/gu;
const printable = (text) => text.replace(INVISIBLE, (c) => c.split("").map((unit) => "\\u" + unit.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")).join(""));

// Writes only changes, so that screen readers and text selections are not disturbed.
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function element(name, className, text) {
  const created = document.createElement(name);
  if (className) created.className = className;
  if (text !== undefined) created.textContent = text;
  return created;
}

// Isolates a name: right-to-left text must not reorder the number after it.
function nameElement() {
  const created = element("span");
  created.dir = "auto";
  return created;
}

// Sets a sentence; the parts with odd index are names.
function setSentence(element, ...parts) {
  if (element.textContent === parts.join("")) return;
  element.replaceChildren(...parts.map((part, i) => {
    if (i % 2 === 0) return part;
    const created = nameElement();
    created.textContent = part;
    return created;
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

// The first point is drawn as a horizontal segment, so that a history of one point is visible.
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
  for (const [name, label] of [["cpu"], ["history"], ["name"], ["verdict", "Verdict"], ["wait", "Waiting"], ["saturated", "Saturated"], ["process", "Process"], ["daemon", "Daemon"], ["filter", "Filter"]]) {
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
    view.selected = keyOf(thread);
    render();
    // On a narrow screen the details are above the table.
    const detail = byId("detail");
    if (detail.getBoundingClientRect().top < 0) detail.scrollIntoView();
  });
  const role = element("span", "row-role");
  cells.name.append(" ", role);
  const verdict = cells.verdict.appendChild(element("span", "verdict"));
  cells.process.append(nameElement(), " ", element("small"));
  return { row, cells, meter, number, bar, modes, spark, pick, role, verdict };
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
  setText(parts.role, thread.role?.name ?? "");
  parts.role.hidden = !thread.role;
  setText(parts.verdict, thread.verdict);
  parts.verdict.className = `verdict ${thread.verdict}`;
  setText(parts.cells.wait, percent(thread.wait_ratio));
  setText(parts.cells.saturated, seconds(thread.saturated_seconds));
  setText(parts.cells.process.children[0], thread.process);
  setText(parts.cells.process.children[1], String(thread.pid));
  setText(parts.cells.daemon, thread.daemon);
  setText(parts.cells.filter, thread.filter);
  const isSelected = keyOf(thread) === view.selected;
  parts.row.className = (isSelected ? "selected " : "") + (thread.cpu_ratio < 0.01 ? "faint" : "");
  parts.pick.setAttribute("aria-pressed", String(isSelected));
}

function matching(threads) {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  return threads.filter((t) => {
    const text = [t.name, t.tid, t.process, t.pid, t.daemon, t.filter, t.verdict, t.role?.name].join("\n").toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

function sorted(threads) {
  const value = SORTS[view.sort];
  const sign = view.descending ? -1 : 1;
  const compare = BY_TEXT.has(view.sort) ? (a, b) => value(a).localeCompare(value(b)) : (a, b) => value(a) - value(b);
  // The response is ordered by CPU use, and the stable sort keeps that order among equals.
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
  if (performance.now() - view.touchedAt < HOLD_TIME) return;
  const focused = body.contains(document.activeElement) ? document.activeElement : null;
  threads.forEach((thread, i) => {
    const { row } = shownRows.get(keyOf(thread));
    if (body.children[i] !== row) body.insertBefore(row, body.children[i]);
  });
  // Moving a row removes the focus from its elements.
  if (focused && document.activeElement !== focused) focused.focus({ preventScroll: true });
}

function renderHeads() {
  for (const button of table.tHead.querySelectorAll("button")) {
    const head = button.parentElement;
    if (button.dataset.sort === view.sort) head.setAttribute("aria-sort", view.descending ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  }
}

// --- The selected thread ---------------------------------------------------------------------------------------------

function renderDetail(response, shown) {
  const detail = byId("detail");
  const selected = response.threads.find((t) => keyOf(t) === view.selected);
  if (!selected) view.selected = null;
  const thread = selected ?? shown[0];
  detail.hidden = !thread;
  if (!thread) return;
  detail.dataset.hot = String(thread.cpu_ratio >= 0.5);
  setText(byId("detail-why"), selected ? "Selected thread" : thread === response.threads[0] ? "Busiest thread" : "First thread in the table");
  byId("follow").hidden = !selected;
  setText(byId("detail-name"), thread.name || "(no name)");
  const isOther = thread.daemon !== thread.process;
  setSentence(byId("detail-of"), `thread ${thread.tid} of `, thread.process, ` ${thread.pid}${isOther ? ", daemon " : ""}`, isOther ? thread.daemon : "", ", filter ", thread.filter);
  setText(byId("detail-cpu"), percent(thread.cpu_ratio));
  renderRole(thread.role);
  setText(byId("detail-verdict"), thread.reason ? `${thread.verdict}: ${thread.reason.replaceAll(" %", "\u00a0%")}` : thread.verdict);
  drawSpark(byId("detail-chart"), thread.history);
  const since = view.span * response.interval_seconds;
  setText(byId("detail-since"), since < 100 ? `${Math.round(since)} s ago` : `${(since / 60).toFixed(1)} min ago`);
  setText(byId("detail-user"), percent(thread.user_ratio));
  setText(byId("detail-kernel"), percent(thread.kernel_ratio));
  setText(byId("detail-wait"), percent(thread.wait_ratio));
  setText(byId("detail-state"), stateText(thread.state));
  setText(byId("detail-saturated"), seconds(thread.saturated_seconds));
  setValue(byId("perf"), `perf record -g -t ${thread.tid} -- sleep 10`);
  setValue(byId("pidstat"), `pidstat -t -p ${thread.pid} 1`);
  // A recorded moment has no history, and the thread may be gone.
  for (const id of ["detail-plot", "detail-axis", "commands"]) byId(id).hidden = Boolean(response.recorded);
  renderProcess(response, thread);
  renderHost(response);
}

// Who has the CPUs of the host.
function renderHost(response) {
  const host = response.host;
  byId("host-usage").hidden = !host;
  if (!host) return;
  const window = response.window_seconds;
  setText(byId("host-title"), `CPU use of the host: ${count(host.cpus, "CPU", "CPUs")}`);
  const parts = [["", "watched processes", host.watched_seconds]];
  let rest = host.unwatched_seconds;
  for (const neighbour of host.neighbours) {
    parts.push([neighbour.name, ` ${neighbour.pid}`, neighbour.cpu_seconds]);
    rest -= neighbour.cpu_seconds;
  }
  parts.push(["", "other processes", Math.max(0, rest)], ["", "short-lived processes, interrupts", host.short_lived_seconds]);
  if (host.steal_seconds > 0) parts.push(["", "taken by the hypervisor (steal)", host.steal_seconds]);
  const list = byId("host-parts");
  parts.forEach(([name, text, time], i) => {
    const item = list.children[i] ?? list.appendChild(element("li"));
    if (!item.firstChild) item.append(element("span"), element("b"));
    setSentence(item.children[0], "", name, text);
    setText(item.children[1], cores(time, window));
  });
  while (list.children.length > parts.length) list.lastChild.remove();
}

// What the thread is for; most threads are not known.
function renderRole(role) {
  byId("role").hidden = !role;
  setText(byId("role-name"), role?.name ?? "");
  setText(byId("role-text"), role?.text ?? "");
  const source = byId("role-source");
  source.hidden = !role?.source;
  // The exporter accepts only http and https here.
  if (role?.source) source.href = role.source;
  else source.removeAttribute("href");
}

function setValue(input, value) {
  if (input.value !== value) input.value = value;
}

// The process's whole CPU time in the window, divided without remainder.
function renderProcess(response, thread) {
  const process = response.processes.find((p) => p.pid === thread.pid);
  const window = response.window_seconds;
  setSentence(byId("process-title"), "CPU use of ", process.name, ` ${process.pid}: ${cores(process.cpu_seconds, window)} of a core, ${count(process.threads, "thread", "threads")}`);
  const others = response.threads.filter((t) => t.pid === thread.pid && t !== thread && t.cpu_seconds > 0);
  const named = others.filter((t) => t.cpu_seconds >= process.cpu_seconds / 100).slice(0, 4);
  const more = others.slice(named.length);
  const parts = [["part-this", ` ${thread.tid}`, thread.cpu_seconds, thread.name]];
  for (const other of named) parts.push(["part-shown", ` ${other.tid}`, other.cpu_seconds, other.name]);
  if (more.length > 0) parts.push(["part-more", `${more.length} more of the busiest`, more.reduce((sum, t) => sum + t.cpu_seconds, 0)]);
  parts.push(["part-other", "other threads", process.other_threads_seconds]);
  let rest = process.unattributed_seconds;
  for (const gone of process.exited) {
    parts.push(["part-exited", ` (${count(gone.exits, "thread", "threads")} exited)`, gone.cpu_seconds, gone.name]);
    rest -= gone.cpu_seconds;
  }
  // What children used is not in the time of the process.
  if (process.waited_children_seconds > 0 && process.exited.length === 0) parts.push(["part-unattributed", "exited children", process.waited_children_seconds]);
  parts.push(["part-unattributed", rest === null ? "exited threads (not available)" : "exited or new threads", rest === null ? null : Math.max(0, rest)]);
  const shortLived = (process.unattributed_seconds ?? 0) + process.waited_children_seconds;
  setText(byId("process-hint"), shortLived > (process.cpu_seconds + process.waited_children_seconds) / 4
    ? "More than a quarter of this CPU time was used by short-lived threads or processes." + (process.exited.length === 0 ? " Exit records would name them; group = true counts the processes." : "")
    : "");
  const bar = byId("process-bar");
  const list = byId("process-parts");
  parts.forEach(([name, text, time, ofThread], i) => {
    const segment = bar.children[i] ?? bar.appendChild(element("div"));
    segment.className = name;
    segment.style.flexGrow = String(((time ?? 0) / process.cpu_seconds) * 1000);
    segment.hidden = !time;
    const item = list.children[i] ?? list.appendChild(element("li"));
    if (!item.firstChild) item.append(element("i"), element("span"), element("b"));
    item.children[0].className = "swatch " + name;
    setSentence(item.children[1], "", ofThread ?? "", text);
    setText(item.children[2], time === null ? "–" : cores(time, window));
  });
  while (bar.children.length > parts.length) bar.lastChild.remove();
  while (list.children.length > parts.length) list.lastChild.remove();
}

// --- Rendering -------------------------------------------------------------------------------------------------------

function render() {
  renderStatus();
  renderHeads();
  document.dispatchEvent(new Event("rendered"));
  const response = view.response;
  if (!response) return;
  view.span = Math.max(MIN_SPAN, ...response.threads.map((t) => t.history.length));
  const threads = matching(response.threads);
  const shown = sorted(threads);
  renderTable(shown);
  renderDetail(response, shown);
  table.hidden = shown.length === 0;
  const watched = `${count(response.watched.threads, "thread", "threads")} of ${count(response.watched.processes, "process", "processes")}`;
  setText(byId("caption"), `${shown.length} of the ${count(response.threads.length, "busiest thread", "busiest threads")}, averages of ${response.recorded ? "" : "the last "}${Number(response.window_seconds.toFixed(1))} s; watched: ${watched}`);
  renderNothing(response, shown);
  if (shown.length > 0) document.title = `${percent(shown[0].cpu_ratio)} ${shown[0].name} · hot threads`;
}

function renderNothing(response, shown) {
  const filtered = shown.length === 0 && response.threads.length > 0;
  byId("nothing").hidden = shown.length > 0;
  byId("clear").hidden = !filtered;
  let text = "";
  if (filtered) text = `None of the ${count(response.threads.length, "busiest thread", "busiest threads")} matches “${printable(search.value)}”.`;
  else if (response.watched.filters === 0) text = "Nothing is watched, because no filter is configured. The overview shows how to add one.";
  else if (response.warming_up) text = "Measuring…";
  else if (response.watched.processes === 0) text = "Nothing is watched, because no filter matches a process. The overview shows notes on each filter.";
  else text = `None of the ${count(response.watched.threads, "watched thread", "watched threads")} has used CPU in the last minutes.`;
  setText(byId("nothing-text"), text);
}

function renderStatus() {
  const state = view.error ? "away" : view.at !== null ? "recorded" : isPaused() ? "paused" : view.response && !view.response.warming_up ? "live" : "measuring";
  const status = byId("status");
  status.dataset.state = state;
  setText(byId("status-text"), { away: view.notRecorded ? "Not recorded" : "No response", recorded: "Recorded", paused: "Paused", live: "Live", measuring: "Measuring…" }[state]);
  const shown = view.at === null ? view.receivedAt : view.response?.recorded && new Date(view.response.recorded.at);
  setText(byId("clock"), shown && !view.error ? timeText(shown) : "");
  pause.hidden = view.at !== null;
  document.body.classList.toggle("away", state === "away");
  const notice = byId("notice");
  const reload = view.response && !view.response.watched.last_reload_successful;
  notice.hidden = !view.error && !reload;
  if (view.error) setText(notice, view.error);
  else if (reload) setText(notice, "The last reload of the configuration failed; the previous filters remain active. The overview shows the errors.");
}

// --- Polling ---------------------------------------------------------------------------------------------------------

// What the recorder says of a time that it has not recorded.
class NotRecorded extends Error {}

// A paused page may show recorded moments.
const isPaused = () => view.at === null && pause.getAttribute("aria-pressed") === "true";

async function poll() {
  clearTimeout(view.timer);
  const request = ++view.request;
  let wait = 1000;
  try {
    const at = view.at === null ? "" : `&at=${encodeURIComponent(view.at)}`;
    const response = await fetch(`api/v1/hot?n=${rowsChoice.value}${at}`, { signal: AbortSignal.timeout(TIMEOUT), cache: "no-store" });
    if (request !== view.request) return;
    if (!response.ok && view.at !== null && response.headers.get("Content-Type")?.startsWith("application/json")) throw new NotRecorded((await response.json()).error);
    if (!response.ok) throw new Error(`The exporter returned ${response.status}`);
    const data = await response.json();
    for (const item of [...data.threads, ...data.processes, ...(data.host?.neighbours ?? [])]) {
      for (const key of ["name", "process", "daemon", "filter", "reason"]) if (key in item) item[key] = printable(item[key]);
    }
    if (request !== view.request) return;
    view.response = data;
    view.receivedAt = new Date();
    view.error = null;
    view.notRecorded = false;
    // A recorded moment does not change.
    wait = data.recorded ? 0 : data.warming_up ? 300 : Math.max(1000, data.interval_seconds * 1000);
  } catch (error) {
    if (request !== view.request) return;
    const last = view.receivedAt ? ` Showing data from ${timeText(view.receivedAt)}.` : "";
    const why = error.message.startsWith("The exporter returned") ? error.message : "The exporter does not respond";
    view.notRecorded = error instanceof NotRecorded;
    view.error = view.notRecorded ? `${error.message[0].toUpperCase()}${error.message.slice(1)}.` : `${why}. Retrying every 2 seconds.${last}`;
    wait = view.notRecorded ? 0 : 2000;
  }
  render();
  if (wait > 0 && !document.hidden && !isPaused()) view.timer = setTimeout(poll, wait);
}

function stop() {
  clearTimeout(view.timer);
  view.request++;
}

async function copy(button) {
  const input = byId(button.dataset.copy);
  input.select();
  let done = false;
  // navigator.clipboard exists only on https and localhost.
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
  else poll();
  render();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) stop();
  else if (!isPaused()) poll();
});
search.addEventListener("input", () => { view.touchedAt = -HOLD_TIME; writeUrl(); render(); });
rowsChoice.addEventListener("change", () => { writeUrl(); if (!isPaused()) poll(); });
byId("controls").addEventListener("submit", (event) => event.preventDefault());
byId("clear").addEventListener("click", () => { search.value = ""; writeUrl(); render(); search.focus(); });
byId("follow").addEventListener("click", () => { view.selected = null; render(); });
table.tHead.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  view.descending = view.sort === button.dataset.sort ? !view.descending : !BY_TEXT.has(button.dataset.sort);
  view.sort = button.dataset.sort;
  view.touchedAt = -HOLD_TIME;
  writeUrl();
  render();
});
for (const touch of ["pointermove", "pointerdown", "keydown"]) body.addEventListener(touch, () => { view.touchedAt = performance.now(); });
for (const button of document.querySelectorAll("[data-copy]")) button.addEventListener("click", () => copy(button));

setText(byId("host"), location.host);
readUrl();
renderHeads();
poll();
