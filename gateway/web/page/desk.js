// The desk: a picture of the queues, asked for once a second, and one task being worked. Texts are never markup.
"use strict";

const $ = (id) => document.getElementById(id);
const TOKEN = "gudok-token";
const WHO = "gudok-who";
const LOOK_MS = 700;         // a new task is seen within a second
const SOON_MS = 15 * 60_000; // a deadline this near is pointed at
const KINDS = { question: "Question by SMS", callback: "Call back", money: "Order of money" };
const RESULTS = { solved: "solved", unsolved: "not solved", escalate: "expert", done: "carried out", not_done: "not carried out" };
const WRITERS = { subscriber: "subscriber", flow: "flow", staff: "we" };

const state = {
  mark: "", shift: 0, picture: null, closed: [], queue: "", chosen: 0, task: null, known: null, asked: 0, busy: new Set(),
};

function make(tag, kind, text) {
  const element = document.createElement(tag);
  if (kind) element.className = kind;
  if (text !== undefined) element.textContent = text;
  return element;
}

const now = () => Date.now() + state.shift;

function span(ms) {
  const minutes = Math.round(Math.abs(ms) / 60_000);
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 36 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60 ? (minutes % 60) + " min" : ""}`.trim();
  return `${Math.round(minutes / 1440)} days`;
}

function moment(ms) {
  const date = new Date(ms), today = new Date(now()).toDateString() === date.toDateString();
  const time = date.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  return today ? time : `${date.toLocaleDateString("en-GB", { day: "numeric", month: "short" })}, ${time}`;
}

const phone = (number) => number.replace(/^7(\d{3})(\d{3})(\d\d)(\d\d)$/, "+7 $1 $2-$3-$4");

let saidTimer = 0;
function say(text, bad) {
  $("said").textContent = text;
  $("said").className = bad ? "said bad" : "said";
  $("said").hidden = false;
  clearTimeout(saidTimer);
  saidTimer = setTimeout(() => { $("said").hidden = true; }, bad ? 7000 : 2500);
}

// Asking

/** A name beyond Latin-1 goes as its UTF-8 octets, which is all that a header can carry. */
const inHeader = (text) => String.fromCharCode(...new TextEncoder().encode(text));

async function ask(path, body, more) {
  const headers = { "X-Gudok-Who": inHeader($("who").value.trim() || "desk"), ...more };
  const token = sessionStorage.getItem(TOKEN);
  if (token) headers.Authorization = "Bearer " + inHeader(token);
  const options = { headers, cache: "no-store" };
  if (body) Object.assign(options, { method: "POST", body: JSON.stringify(body), headers: { ...headers, "Content-Type": "application/json" } });
  const response = await fetch(path, options);
  if (response.status === 401) lock();
  return response;
}

function lock() {
  $("login").hidden = false;
  $("main").hidden = true;
}

async function failed(response) {
  try { return (await response.json()).error || String(response.status); } catch { return String(response.status); }
}

async function look() {
  try {
    const response = await ask("/api/desk", null, state.mark ? { "If-None-Match": state.mark } : {});
    if (response.status !== 200 && response.status !== 304) {
      shine("bad", await failed(response));
      return;
    }
    state.shift = Number(response.headers.get("X-Gudok-Now")) - Date.now() || 0;
    if (response.status === 200) {
      state.picture = await response.json();
      state.mark = response.headers.get("ETag");
      $("login").hidden = true;
      $("main").hidden = false;
      draw();
      if (state.chosen) await follow();
    } else tick();
    const open = state.picture.tasks.length + state.picture.left_out;
    shine("good", open === 1 ? "1 open task" : `${open} open tasks`);
  } catch { shine("bad", "no answer, asking again"); }
}

function shine(kind, text) {
  $("light").dataset.state = kind;
  if ($("state-text").textContent !== text) $("state-text").textContent = text;
  document.title = kind === "good" && state.picture.tasks.length ? `(${state.picture.tasks.length}) Gudok: desk` : "Gudok: desk";
}

async function watch() {
  for (;;) {
    if (!document.hidden || !state.picture) await look();
    await new Promise((done) => setTimeout(done, LOOK_MS));
  }
}

/** The chosen task is read again only when something in it has changed: every reading is noted. */
async function follow() {
  const seen = state.picture.tasks.find((one) => one.number === state.chosen);
  const mark = seen ? `${seen.state} ${seen.written} ${seen.due}` : "closed";
  if (mark !== state.asked) { state.asked = mark; await read(); }
}

async function read() {
  const number = state.chosen;
  const response = await ask(`/api/queue/${number}`);
  if (number !== state.chosen) return;
  if (!response.ok) { say(await failed(response), true); return; }
  state.task = (await response.json()).task;
  drawTask();
}

async function readClosed() {
  const response = await ask("/api/queue?closed=1");
  if (!response.ok) return;
  state.closed = (await response.json()).tasks.reverse().slice(0, 200);
  drawList();
}

// Drawing

function draw() {
  const { picture } = state;
  const fresh = state.known ? picture.tasks.filter((one) => !state.known.has(one.number)).map((one) => one.number) : [];
  state.known = new Set(picture.tasks.map((one) => one.number));
  drawQueues();
  drawList(new Set(fresh));
  $("left-out").hidden = !picture.left_out;
  $("left-out").textContent = `${picture.left_out} more wait behind these`;
}

function drawQueues() {
  const used = state.picture.queues.filter((one) => one.length || one.name === state.queue);
  const all = { name: "", length: state.picture.tasks.length + state.picture.left_out, open: true };
  const tabs = [all, ...used].map((one) => {
    const tab = make("button", one.open ? "" : "shut", one.name ? one.name.replaceAll("_", " ") : "All");
    tab.type = "button";
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-selected", String(one.name === state.queue));
    tab.append(make("b", "", one.length));
    tab.addEventListener("click", () => { state.queue = one.name; drawQueues(); drawList(); });
    return tab;
  });
  const old = [...$("queues").children].map((tab) => tab.outerHTML).join();
  if (old !== tabs.map((tab) => tab.outerHTML).join()) $("queues").replaceChildren(...tabs);
}

function shownTasks() {
  const sought = $("search").value.trim().toLowerCase();
  const source = $("closed").checked ? state.closed : state.picture.tasks;
  return source.filter((one) => (!state.queue || one.queue === state.queue)
    && (!sought || [one.number, one.queue, one.topic, one.subscriber, KINDS[one.kind]].join(" ").toLowerCase().includes(sought)));
}

function drawList(fresh = new Set()) {
  const rows = [];
  let queue = null;
  for (const task of shownTasks()) {
    if (task.queue !== queue && !state.queue && !$("closed").checked) rows.push(make("h3", "", task.queue.replaceAll("_", " ")));
    queue = task.queue;
    rows.push(item(task, fresh.has(task.number)));
  }
  if (!rows.length) rows.push(make("p", "empty", $("search").value ? "Nothing like that." : $("closed").checked ? "Nothing was closed yet." : "Nobody waits."));
  const top = $("list").scrollTop;
  $("list").replaceChildren(...rows);
  $("list").scrollTop = top;
  tick();
}

function item(task, fresh) {
  const row = make("div", fresh ? "item fresh" : "item");
  row.id = `task-${Number(task.number)}`;
  row.dataset.number = task.number;
  row.dataset.due = task.due;
  row.setAttribute("role", "option");
  row.setAttribute("aria-selected", String(task.number === state.chosen));
  const marks = make("span", "marks");
  if (task.state === "taken") marks.append(make("span", "mark taken", "taken"));
  if (task.ahead_s > 0) marks.append(make("span", "mark high", "priority"));
  if (task.result) marks.append(make("span", "mark", RESULTS[task.result] || task.result));
  else if (task.state === "expired") marks.append(make("span", "mark", "expired"));
  const due = make("span", "due");
  row.append(make("span", "number", task.number), make("span", "what", task.topic ? task.topic.replaceAll("_", " ") : KINDS[task.kind]),
    due, make("span", "who", `${KINDS[task.kind]} · ${task.subscriber}`), marks);
  row.addEventListener("click", () => choose(task.number));
  return row;
}

/** Times run on without news. */
function tick() {
  document.querySelectorAll(".item").forEach((row) => lateness(row.querySelector(".due"), Number(row.dataset.due), $("closed").checked));
  if (state.task) lateness($("due"), state.task.due, state.task.closed_at !== null);
}

function lateness(place, due, over) {
  const left = due - now();
  const text = over ? "" : left < 0 ? `${span(left)} late` : `${span(left)} left`;
  if (place.textContent !== text) place.textContent = text;
  place.dataset.state = over ? "" : left < 0 ? "late" : left < SOON_MS ? "soon" : "";
  place.title = over ? "" : `due ${moment(due)}`;
}

function choose(number) {
  document.body.dataset.view = "task";
  if (number === state.chosen && state.task?.number === number) return;
  state.chosen = number;
  state.task = null;
  const seen = state.picture.tasks.find((one) => one.number === number);
  state.asked = seen ? `${seen.state} ${seen.written} ${seen.due}` : "closed";
  $("answer").value = "";
  $("closing").reset();
  count();
  drawList();
  $(`task-${Number(number)}`)?.scrollIntoView({ block: "nearest" });
  read().catch(() => say("no answer", true));
}

function drawTask() {
  const { task } = state;
  $("nothing").hidden = true;
  $("sheet").hidden = false;
  $("title").textContent = `${task.number} · ${task.topic ? task.topic.replaceAll("_", " ") : KINDS[task.kind]}`;
  $("subtitle").textContent = `${KINDS[task.kind]}, ${task.queue.replaceAll("_", " ")}`;
  const over = task.closed_at !== null;
  $("take").hidden = over || task.state !== "open";
  const ahead = state.picture.tasks.find((one) => one.number === task.number)?.ahead_s || 0;
  facts([
    ["Subscriber", phone(task.subscriber), "phone"], ["Came", moment(task.at)],
    task.not_before ? ["Call", `from ${moment(task.not_before)} on`] : null,
    over ? null : ["Due", moment(task.due)], ahead ? ["Priority", `${span(ahead * 1000)} head start`] : null,
    task.code ? ["Wrote to", task.code] : null, task.skills.length ? ["Skills", task.skills.join(", ")] : null,
    task.taken_at ? ["Taken", moment(task.taken_at)] : null, over ? [task.state === "done" ? "Closed" : "Expired", moment(task.closed_at)] : null,
    task.result ? ["Result", RESULTS[task.result] || task.result] : null, task.about ? ["About", task.about] : null, task.note ? ["Note", task.note] : null,
  ]);
  $("before").hidden = !task.trail.length;
  $("trail").replaceChildren(...task.trail.map((step) => make("li", "", step)));
  $("lines").replaceChildren(...task.lines.map((line) => {
    const row = make("li", "line");
    row.dataset.who = line.who;
    row.append(make("p", "", line.text), make("small", "", `${WRITERS[line.who] || line.who}, ${moment(line.at)}`));
    return row;
  }));
  $("lines").lastElementChild?.scrollIntoView({ block: "nearest" });
  $("reply").hidden = $("closing").hidden = over;
  $("answer").placeholder = task.code ? `Answer by SMS from ${task.code}` : "Write an SMS";
  results(task.kind);
  tick();
}

function facts(given) {
  $("facts").replaceChildren(...given.filter(Boolean).map(([name, value, kind]) => {
    const pair = make("div");
    pair.append(make("dt", "", name), make("dd", kind, value));
    return pair;
  }));
}

function results(kind) {
  const wanted = state.picture.results[kind] || [];
  if ($("results").dataset.kind === kind) return;
  $("results").dataset.kind = kind;
  $("results").replaceChildren($("results").querySelector("legend"), ...wanted.map((name) => {
    const label = make("label", "", RESULTS[name] || name), box = make("input");
    box.type = "radio";
    box.name = "result";
    box.value = name;
    label.prepend(box);
    return label;
  }));
}

function count() {
  const length = $("answer").value.length;
  const latin = /^[\x20-\x7e\n]*$/.test($("answer").value);
  const parts = length <= (latin ? 160 : 70) ? 1 : Math.ceil(length / (latin ? 153 : 67));
  $("count").textContent = length ? `${length} characters, ${parts} ${parts === 1 ? "part" : "parts"} · Ctrl+Enter sends` : "";
}

// Working

async function work(act, body, done) {
  const number = state.task?.number;
  if (!number || state.busy.has(act)) return false; // pressed twice is meant once
  state.busy.add(act);
  try {
    const response = await ask(`/api/queue/${number}/${act}`, body);
    if (!response.ok) { say(await failed(response), true); return false; }
    say(done);
    look();
    return true;
  } catch {
    say("no answer: look whether it was done before you do it again", true);
    return false;
  } finally { state.busy.delete(act); }
}

async function send() {
  const text = $("answer").value;
  if (!text.trim()) return;
  const number = state.task.number;
  if (await work("answer", { text }, "SMS is on its way") && number === state.chosen && $("answer").value === text) { $("answer").value = ""; count(); }
}

async function close() {
  const given = new FormData($("closing"));
  const body = { result: given.get("result") || "", topic: given.get("topic"), note: given.get("note") };
  if (!body.result) { say("Choose a result first", true); $("results").querySelector("input")?.focus(); return; }
  const number = state.task.number, next = beside(1) || beside(-1);
  if (await work("close", body, `Task ${number} is closed`)) {
    $("closing").reset();
    if (document.body.dataset.view === "task" && matchMedia("(max-width: 760px)").matches) leave();
    else if (next) choose(next);
  }
}

function leave() {
  document.body.dataset.view = "list";
  $("list").focus({ preventScroll: true });
}

function beside(step) {
  const numbers = shownTasks().map((one) => one.number), at = numbers.indexOf(state.chosen);
  return at < 0 ? numbers[0] : numbers[at + step];
}

function wire() {
  $("who").value = localStorage.getItem(WHO) || "";
  $("who").addEventListener("change", () => localStorage.setItem(WHO, $("who").value.trim()));
  $("login").addEventListener("submit", (event) => {
    event.preventDefault();
    sessionStorage.setItem(TOKEN, new FormData(event.target).get("token"));
    look();
  });
  $("search").addEventListener("input", () => drawList());
  $("closed").addEventListener("change", () => { drawList(); if ($("closed").checked) readClosed(); });
  $("take").addEventListener("click", () => work("take", {}, "The task is yours"));
  $("back").addEventListener("click", leave);
  $("answer").addEventListener("input", count);
  $("reply").addEventListener("submit", (event) => { event.preventDefault(); send(); });
  $("closing").addEventListener("submit", (event) => { event.preventDefault(); close(); });
  document.addEventListener("keydown", keys);
}

function keys(event) {
  const writing = /^(INPUT|TEXTAREA)$/.test(event.target.tagName) && event.target.type !== "radio" && event.target.type !== "checkbox";
  if (event.key === "Escape") { if (writing) event.target.blur(); else leave(); return; }
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target === $("answer")) { event.preventDefault(); send(); return; }
  if (writing || event.ctrlKey || event.metaKey || event.altKey || $("main").hidden) return;
  const radio = event.target.type === "radio";
  const open = (part, act) => ($("sheet").hidden || $(part).hidden ? null : act);
  // By the place of a key, so that it works whatever alphabet the keyboard has.
  const act = { ArrowDown: radio ? null : () => step(1), ArrowUp: radio ? null : () => step(-1), KeyJ: () => step(1), KeyK: () => step(-1),
    Slash: () => $("search").focus(), KeyT: open("take", () => $("take").click()), KeyR: open("reply", () => $("answer").focus()),
    KeyC: open("closing", () => $("results").querySelector("input")?.focus()) }[event.code];
  if (act) { event.preventDefault(); act(); }
}

function step(by) {
  const next = beside(by);
  if (next) choose(next);
}

wire();
watch();
