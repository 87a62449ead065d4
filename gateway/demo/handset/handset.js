// The handset page: one stream of events in, a few JSON orders out. All texts are set as text, never as markup.
"use strict";

const LONG = 1200;      // characters of a message shown before "show all"
const NUMBERS = ["9290", "000500"];
const DONE = { answer: "waits for an answer", reading: "is being read", backend: "asks a back end",
  look: "looks something up", ended: "ended", begin: "begins" };

const state = {
  phone: "", cards: new Map(), ussd: null, messages: new Map(), thread: "9290", read: new Map(),
  services: [], languages: [], acts: [], language: "", wide: new Set(), flow: null, rows: new Map(), report: null, status: {}, file: "", build: "", pinned: "", shift: 0, day: 0, stream: null,
};

function money(text, sign) {
  const value = Number(text);
  const places = Number.isInteger(value) ? 0 : 2;
  const shown = Math.abs(value).toLocaleString("ru-RU", { minimumFractionDigits: places, maximumFractionDigits: places });
  const front = value < 0 ? "−" : sign && value > 0 ? "+" : "";
  return front + shown + " ₽";
}

const ZONE = "Europe/Moscow"; // the operator's, whoever looks on
const clock = (ms, seconds) => new Date(ms).toLocaleTimeString("ru-RU",
  { timeZone: ZONE, hour: "2-digit", minute: "2-digit", ...(seconds ? { second: "2-digit" } : {}) });

let toastTimer = 0;
function toast(text) {
  $("toast").textContent = text;
  $("toast").hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { $("toast").hidden = true; }, 4000);
}

// The stream

function listen(phone) {
  state.phone = phone;
  if (state.stream) state.stream.close();
  const stream = state.stream = new EventSource("/events?phone=" + encodeURIComponent(phone));
  const on = (topic, act) => stream.addEventListener(topic, (event) => act(JSON.parse(event.data)));
  on("picture", takePicture);
  on("ussd", (ussd) => {
    const rings = ussd?.rings && !state.ussd?.rings;
    state.ussd = ussd;
    drawUssd();
    if (rings) ring();
  });
  on("call", (call) => Call.take(call));
  on("message", (message) => {
    const fresh = !message.mine && !state.messages.has(message.id);
    state.messages.set(message.id, message);
    drawMessages();
    if (fresh) announce(message);
  });
  on("offers", takeOffers);
  on("language", (language) => { state.language = language; drawLanguages(); });
  on("flow", (flow) => { state.flow = flow; state.pinned = ""; drawFlow(); });
  on("row", (row) => { state.rows.set(row.id, row); drawRow(row); });
  on("money", (line) => { addMoney(line, true); });
  on("card", (card) => { state.cards.set(card.phone, card); drawCast(); if (card.phone === state.phone) drawDetails(true); });
  on("report", takeReport);
  on("status", takeStatus);
  stream.addEventListener("error", () => {
    $("link").textContent = "reconnecting";
    $("link-light").dataset.state = "bad";
    if (stream.readyState === EventSource.CLOSED) setTimeout(() => listen(state.phone), 1500);
  });
}

function takePicture(picture) {
  state.cards = new Map(picture.cards.map((card) => [card.phone, card]));
  state.ussd = picture.ussd;
  state.messages = new Map(picture.messages.map((message) => [message.id, message]));
  state.flow = picture.flow;
  state.rows = new Map(picture.rows.map((row) => [row.id, row]));
  $("rows").replaceChildren();
  state.rows.forEach(drawRow);
  $("ledger").replaceChildren();
  picture.ledger.forEach((line) => addMoney(line, false));
  state.language = picture.language;
  takeOffers(picture);
  takeReport(picture.report);
  takeStatus(picture.status);
  drawCast();
  drawDetails(false);
  drawUssd();
  Call.take(picture.call);
  drawMessages();
  drawFlow();
}

function takeStatus(status) {
  state.status = status;
  state.shift = status.clock_shift;
  state.day = status.day_shift;
  $("tasks").hidden = !status.tasks;
  $("tasks").textContent = status.tasks;
  $("waiting").hidden = !status.waiting;
  $("waiting").textContent = status.waiting;
  drawSip();
  $("link").textContent = status.bound ? `SMPP bound ×${status.bound}` : "SMPP down, binding again";
  $("link-light").dataset.state = status.bound ? "good" : "bad";
  $("signal").dataset.state = status.bound ? "good" : "bad";
  $("traffic").textContent = `${status.deliveries} deliver_sm, ${status.submits} submit_sm`;
  document.querySelectorAll("[data-trouble]:not([data-once])").forEach((button) => {
    button.setAttribute("aria-pressed", String(Boolean(status[button.dataset.trouble])));
  });
  tick();
}

function tick() {
  const now = Date.now();
  $("clock").textContent = clock(now + state.shift, true);
  $("clock").dataset.moved = state.shift ? "yes" : "no";
  $("phone-time").textContent = clock(now + state.day);
  $("day-fact").hidden = !state.day;
  $("day").textContent = new Date(now + state.day).toLocaleDateString("en-GB", { timeZone: ZONE, day: "numeric", month: "short" })
    + ", " + clock(now + state.day);
}

// Subscribers

function drawCast() {
  const list = $("cast");
  if (list.childElementCount !== state.cards.size) {
    list.replaceChildren(...[...state.cards.values()].map((card) => {
      const button = make("button");
      button.type = "button";
      button.dataset.phone = card.phone;
      button.setAttribute("role", "option");
      const name = make("span", "name", card.name);
      name.lang = "ru";
      button.append(name, make("output"), make("span", "title", card.title), make("span", "marks"));
      button.addEventListener("click", () => choose(card.phone));
      return button;
    }));
  }
  for (const button of list.children) {
    const card = state.cards.get(button.dataset.phone);
    button.setAttribute("aria-selected", String(card.phone === state.phone));
    button.querySelector("output").textContent = money(card.balance);
    button.querySelector(".marks").textContent = card.marks.join(" · ");
  }
}

function choose(phone) {
  if (phone !== state.phone) Call.leave();
  location.hash = phone;
  state.pinned = "";
  state.read.clear();
  listen(phone);
  if (document.body.dataset.tab === "people") openTab("phone");
}

function drawDetails(changed) {
  const card = state.cards.get(state.phone);
  if (!card) return;
  $("who-name").textContent = card.name;
  $("who-phone").textContent = card.phone.replace(/^7(\d{3})(\d{3})(\d\d)(\d\d)$/, "+7 $1 $2-$3-$4");
  $("who-about").textContent = card.about;
  drawSip();
  const balance = money(card.balance);
  if (changed && $("who-balance").textContent !== balance) flash($("who-balance"));
  $("who-balance").textContent = balance;
  $("who-tariff").textContent = card.tariff;
  const date = new Date(card.next_fee + "T00:00").toLocaleDateString("en-GB", { day: "numeric", month: "long" });
  $("who-fee").textContent = `${money(card.fee)} a ${card.period}, next on ${date}`
    + (card.blocks.length ? ` · ${card.blocks.join(", ")} block` : "") + (card.unpaid ? " · unpaid" : "");
  $("who-verdict").textContent = card.renewal;
  $("who-verdict").dataset.state = card.renewable ? "good" : "bad";
  ["minutes", "sms", "mb"].forEach((name, index) => {
    const row = document.querySelectorAll(".buckets > div")[index];
    const own = card.main[name], saved = card.carried[name];
    const full = Math.max(card.full[name] || 1, own + saved);
    row.querySelector(".saved").style.width = (100 * saved / full) + "%";
    row.querySelector(".own").style.width = (100 * own / full) + "%";
    row.querySelector("output").textContent = saved ? `${saved} + ${own}` : String(own);
    row.title = saved ? `${saved} saved, spent first, and ${own} of the package` : `${own} of ${card.full[name]}`;
  });
}

/** How a softphone calls as this subscriber, where there is an Asterisk. */
function drawSip() {
  const { sip } = state.status;
  $("who-sip").hidden = !sip;
  if (sip) $("who-sip").textContent = `softphone: ${state.phone} at ${sip.address}, password ${sip.password}`;
}

function flash(element) {
  element.classList.remove("flash");
  void element.offsetWidth; // begins the animation anew
  element.classList.add("flash");
  element.addEventListener("animationend", () => element.classList.remove("flash"), { once: true });
}

// Services

function takeOffers(offers) {
  state.services = offers.services;
  state.languages = offers.languages;
  state.acts = offers.acts;
  drawServices();
  drawLanguages();
  drawActs();
}

/** How each kind of way is gone; a kind that has nothing here is not listed. */
const GO = {
  ussd: (way) => { if (way.dial) dial(way.dial); else { openView("dial"); $("number").textContent = way.begin; } },
  sms: (way) => {
    state.thread = way.to;
    openView("sms");
    if (way.text === undefined) $("sms-text").focus();
    else order("sms", { phone: state.phone, to: way.to, text: way.text });
  },
  call: (way) => Call.start(way.to),
};
const SHOWN = {
  ussd: (way) => way.code,
  sms: (way) => (way.text ? `SMS ${way.text}` : `SMS ${way.to}`),
  call: (way) => `✆ ${way.to}`,
};
const TITLE = {
  ussd: (way) => `Dial ${way.dial || way.code}`,
  sms: (way) => `Send “${way.text ?? "…"}” to ${way.to}`,
  call: (way) => `Call ${way.to}`,
};

function take(way) {
  openTab("phone");
  GO[way.kind](way);
}

function chip(way, service) {
  const button = make("button", "way", SHOWN[way.kind](way));
  button.type = "button";
  button.dataset.kind = way.kind;
  button.title = TITLE[way.kind](way);
  button.setAttribute("aria-label", `${service.title}: ${button.title}`);
  button.addEventListener("click", () => take(way));
  return button;
}

function drawServices() {
  const sought = $("find").value.trim().toLowerCase();
  const has = (...texts) => texts.join(" ").toLowerCase().includes(sought);
  const parts = [];
  let section = "";
  for (const service of state.services) {
    const ways = service.ways.filter((way) => GO[way.kind]);
    const whole = has(service.title, service.about, service.section, service.topic, ...ways.map((way) => `${way.code || ""} ${way.to || ""} ${way.text || ""}`));
    const lines = sought && !whole ? service.lines.filter((line) => has(line.label, line.dial)) : service.lines;
    if (!ways.length || (sought && !whole && !lines.length)) continue;
    if (service.section !== section) parts.push(make("h3", "", section = service.section));
    parts.push(serviceRow(service, ways, lines, sought && !whole));
  }
  if (!parts.length) parts.push(make("p", "empty", "No service like that"));
  $("service-list").replaceChildren(...parts);
}

function serviceRow(service, ways, lines, found) {
  const row = make("div", "service");
  row.dataset.service = service.id;
  const name = make("button", "name", service.title);
  name.type = "button";
  name.lang = "ru";
  name.title = service.about;
  name.addEventListener("click", () => take(ways[0]));
  const chips = make("span", "ways");
  chips.append(...ways.map((way) => chip(way, service)));
  row.append(name, chips);
  if (!lines.length) return row;
  const open = found || state.wide.has(service.id);
  if (!found) {
    const more = make("button", "more", open ? "hide the menu" : `${lines.length} more in its menu`);
    more.type = "button";
    more.setAttribute("aria-expanded", String(open));
    more.addEventListener("click", () => {
      if (!state.wide.delete(service.id)) state.wide.add(service.id);
      drawServices();
    });
    row.append(more);
  }
  if (open) {
    row.append(...lines.map((line) => {
      const deeper = make("button", "deeper");
      deeper.type = "button";
      const label = make("span", "", line.label);
      label.lang = "ru";
      deeper.append(label, make("code", "", line.dial));
      deeper.addEventListener("click", () => take({ kind: "ussd", code: line.dial, dial: line.dial }));
      return deeper;
    }));
  }
  return row;
}

function drawLanguages() {
  $("speaks").hidden = !state.languages.length;
  $("speaks").replaceChildren(...state.languages.map((one) => {
    const button = make("button", "", one.label);
    button.type = "button";
    button.lang = one.lang;
    button.title = `Dial ${one.code}`;
    button.setAttribute("aria-pressed", String(one.lang === state.language));
    button.addEventListener("click", () => take({ kind: "ussd", code: one.code, dial: one.code }));
    return button;
  }));
}

function drawActs() {
  const button = (act, title, about, done) => {
    const one = make("button");
    one.type = "button";
    one.dataset.act = act;
    one.title = about;
    one.append(make("b", "", title), make("span", "", about));
    one.addEventListener("click", async () => {
      one.disabled = true;
      if (await done()) toast(title);
      one.disabled = false;
    });
    return one;
  };
  $("acts").replaceChildren(
    ...state.acts.map((act) => button(act.name, act.title, act.about, () => order("world", { phone: state.phone, name: act.name }))),
    button("next-day", "Next day", "to noon, a day on: what is due happens", () => order("next-day", {})));
}

// The phone

/** The network has begun a dialog. */
function ring() {
  openTab("phone");
  const phone = document.querySelector(".phone");
  phone.classList.add("rings");
  setTimeout(() => phone.classList.remove("rings"), 1200);
  if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.([80, 60, 80]); // before a touch it may not
}

let bannerTimer = 0;
function announce(message) {
  if (!$("view-sms").hidden && state.thread === message.number) return;
  const banner = $("banner");
  banner.querySelector("b").textContent = message.number;
  banner.querySelector("span").textContent = message.text.slice(0, 160);
  banner.dataset.number = message.number;
  banner.hidden = false;
  clearTimeout(bannerTimer);
  bannerTimer = setTimeout(() => { banner.hidden = true; }, 6000);
}

function press(key) {
  const shown = $("number");
  if (shown.textContent.length < 60) shown.textContent += key;
}

/** Green: a code is dialled, a number is called. */
function dialOrCall(typed) {
  if (/^\+?\d{3,15}$/.test(typed)) Call.start(typed);
  else dial(typed);
}

function dial(code) {
  $("number").textContent = "";
  openView("dial");
  order("dial", { phone: state.phone, code });
}

function openView(view) {
  document.querySelectorAll(".view").forEach((part) => { part.hidden = part.id !== `view-${view}`; });
  if (view === "sms") $("banner").hidden = true;
  document.querySelectorAll("[data-view]").forEach((b) => b.setAttribute("aria-pressed", String(b.dataset.view === view)));
  drawMessages();
}

function drawUssd() {
  const ussd = state.ussd;
  const box = $("ussd");
  const before = box.dataset.state + box.dataset.screens;
  box.hidden = !ussd;
  if (!ussd) { box.dataset.state = ""; return; }
  box.dataset.state = ussd.state;
  box.dataset.screens = ussd.screens;
  const running = ussd.state === "running", menu = ussd.state === "menu";
  $("ussd-wait").hidden = !running;
  $("ussd-text").hidden = running;
  $("ussd-text").textContent = ussd.text;
  $("ussd-input").hidden = !menu;
  $("ussd-cancel").hidden = !(menu || running);
  $("ussd-send").hidden = running;
  $("ussd-send").textContent = menu ? "Send" : "OK";
  if (before === ussd.state + ussd.screens) return;
  $("ussd-input").value = "";
  if (menu && !matchMedia("(pointer: coarse)").matches) $("ussd-input").focus({ preventScroll: true });
}

function threads() {
  const numbers = new Set(NUMBERS);
  for (const message of state.messages.values()) numbers.add(message.number);
  return [...numbers].slice(0, 30);
}

const inThread = (number) => [...state.messages.values()].filter((message) => message.number === number);
const unread = (number) => inThread(number).filter((m) => !m.mine && m.id > (state.read.get(number) || 0)).length;

function drawMessages() {
  if (!$("view-sms").hidden && inThread(state.thread).length) {
    state.read.set(state.thread, Math.max(...inThread(state.thread).map((message) => message.id)));
  }
  $("threads").replaceChildren(...threads().map((number) => {
    const tab = make("button", "", number);
    tab.type = "button";
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-selected", String(number === state.thread));
    if (unread(number)) tab.append(make("b", "", unread(number)));
    tab.addEventListener("click", () => { state.thread = number; drawMessages(); });
    return tab;
  }), newThread());
  const total = threads().reduce((sum, number) => sum + unread(number), 0);
  $("unread").hidden = !total;
  $("unread").textContent = total;
  const shown = inThread(state.thread);
  $("bubbles").replaceChildren(...shown.map(bubble));
  if (!shown.length) $("bubbles").append(make("p", "empty", `No messages with ${state.thread} yet`));
  $("bubbles").scrollTop = $("bubbles").scrollHeight;
}

function newThread() {
  const field = make("input", "other");
  field.placeholder = "number";
  field.setAttribute("aria-label", "Write to another number");
  field.inputMode = "tel";
  field.maxLength = 16;
  field.addEventListener("change", () => {
    if (/^\+?\d{1,15}$/.test(field.value)) { state.thread = field.value; drawMessages(); $("sms-text").focus(); }
  });
  return field;
}

function bubble(message) {
  const box = make("div", "bubble " + (message.mine ? "mine" : "theirs"));
  const text = make("p", "", message.text.slice(0, LONG) || "(empty)");
  text.dir = "auto";
  text.lang = "ru";
  if (!message.text) text.className = "empty";
  box.append(text);
  if (message.text.length > LONG) {
    const more = make("button", "more", `show all ${message.text.length.toLocaleString("en")} characters`);
    more.type = "button";
    more.addEventListener("click", () => { text.textContent = message.text; more.remove(); });
    box.append(more);
  }
  const ticks = { sending: "◷", delivered: "✓✓", failed: "not taken", received: "", confirmed: "receipt ✓" }[message.state];
  const parts = message.parts > 1 ? `${message.parts} parts · ` : "";
  box.append(make("small", "", `${parts}${clock(message.at)} ${ticks}`));
  return box;
}

function sendSms() {
  const field = $("sms-text");
  const text = field.value;
  field.value = "";
  fit(field);
  order("sms", { phone: state.phone, to: state.thread, text }).then((sent) => {
    if (!sent && !field.value) field.value = text;
  });
}

function fit(field) {
  field.style.height = "auto";
  field.style.height = Math.min(field.scrollHeight, 120) + "px";
}

// Inside the gateway

function takeReport(report) {
  const before = state.report;
  state.report = report;
  $("build").textContent = report.build.slice(0, 8);
  const files = $("files");
  files.replaceChildren(...report.flows.map((flow) => {
    const option = make("option", "", flow.file.replace(/^flows\//, ""));
    option.value = flow.file;
    option.title = flow.title;
    return option;
  }));
  files.value = state.file;
  if (before?.errors && !report.errors) state.pinned = "";
  drawFindings();
  if (before && before.build !== report.build && !report.errors) toast(`New build ${report.build.slice(0, 8)} in use`);
  if (before) { state.build = ""; drawFlow(); } else if (!state.file) openStart();
}

function openStart() {
  const flow = state.report.flows.find((one) => one.starts.includes("*929#")) || state.report.flows[0];
  if (flow && !state.flow) openFile(flow.file, state.report.build);
}

function drawFindings() {
  const { report } = state;
  const box = $("findings");
  const found = report.found.filter((one) => one.severity === "error" || report.errors === 0).slice(0, 8);
  box.hidden = !report.problem && !report.errors;
  document.body.toggleAttribute("data-refused", !box.hidden);
  if (box.hidden) return;
  const head = make("h2", "", report.problem || `${report.errors} ${report.errors === 1 ? "error" : "errors"} on disk — build ${report.build.slice(0, 8)} stays in use`);
  box.replaceChildren(head, ...found.map((one) => {
    const item = make("button", "finding");
    item.type = "button";
    item.append(make("code", "", `${one.file}:${one.line}:${one.column}`), make("span", "", one.message));
    if (one.source.trim()) item.append(make("pre", "", one.source.trim()));
    if (one.help) item.append(make("em", "", one.help));
    item.addEventListener("click", () => { state.pinned = one.file; openFile(one.file, "disk"); });
    return item;
  }));
  if (found.length && state.pinned !== found[0].file) { state.pinned = found[0].file; }
  if (found.length) { state.build = ""; openFile(found[0].file, "disk"); }
}

async function openFile(file, build) {
  if (state.file !== file || state.build !== build) {
    state.file = file;
    state.build = build;
    try {
      const response = await fetch(`/source?build=${encodeURIComponent(build)}&file=${encodeURIComponent(file)}`);
      const source = await response.json();
      if (state.file !== file || state.build !== build) return; // another file was opened meanwhile
      Code.show($("code"), source.text ?? `# ${source.error}`);
    } catch { return; }
    $("files").value = file;
    $("code").scrollTop = 0;
  }
  mark();
}

function mark() {
  const { flow } = state;
  const lines = $("code").children;
  for (const line of lines) line.classList.remove("now", "ran", "wrong");
  let target = null;
  if (flow && flow.file === state.file && state.build !== "disk") {
    for (const [file, number] of flow.trail) if (file === state.file) lines[number - 1]?.classList.add("ran");
    target = lines[flow.line - 1];
    target?.classList.add("now");
    target?.setAttribute("data-waiting", flow.waiting);
  }
  if (state.build === "disk") {
    for (const one of state.report.found) {
      if (one.file !== state.file || one.severity !== "error") continue;
      lines[one.line - 1]?.classList.add("wrong");
      target ??= lines[one.line - 1];
    }
  }
  if (!target) return;
  const pane = $("code");
  const top = target.offsetTop - pane.offsetTop;
  if (top < pane.scrollTop + 20 || top > pane.scrollTop + pane.clientHeight - 60) {
    pane.scrollTo({ top: top - pane.clientHeight / 2, behavior: "smooth" });
  }
}

function drawFlow() {
  const { flow, report } = state;
  const title = flow && !state.pinned ? flow.title : report?.flows.find((one) => one.file === state.file)?.title;
  $("flow-title").textContent = title || "Flow";
  $("flow-state").textContent = flow && !state.pinned ? `${flow.channel} · ${DONE[flow.waiting] || flow.waiting}` : "";
  $("flow-state").dataset.state = flow && !state.pinned ? flow.waiting : "";
  if (state.pinned) { openFile(state.pinned, report.errors ? "disk" : report.build); return; }
  if (flow) openFile(flow.file, flow.build);
  else if (state.file) openFile(state.file, report.build);
  else openStart();
}

function drawRow(row) {
  const list = $("rows");
  let item = list.querySelector(`[data-id="${Number(row.id)}"]`);
  const fresh = !item;
  if (fresh) {
    item = make("li");
    item.dataset.id = row.id;
    list.append(item);
    while (list.childElementCount > 120) list.firstElementChild.remove();
  }
  item.dataset.kind = row.kind;
  item.dataset.state = row.state;
  const what = make("span", "what", row.text);
  const detail = make("span", "detail", row.detail);
  detail.title = row.detail;
  detail.dir = "auto";
  item.replaceChildren(make("time", "", clock(row.at, true)), make("i"), what, detail);
  if (fresh) list.scrollTop = list.scrollHeight;
}

function addMoney(line, fresh) {
  if ($("ledger").querySelector(`[data-id="${Number(line.id)}"]`)) return;
  const row = make("tr", fresh ? "flash" : "");
  row.dataset.id = line.id;
  const amount = make("td", "amount", money(line.amount, true));
  amount.dataset.state = Number(line.amount) < 0 ? "out" : "in";
  const what = make("td", "what", line.kind.replaceAll("_", " "));
  if (line.key) what.append(make("code", "", line.key.slice(0, 4)));
  const today = Math.abs(Date.now() + state.shift - line.at) < 43_200_000;
  const day = new Date(line.at).toLocaleDateString("ru-RU", { timeZone: ZONE, day: "2-digit", month: "2-digit" });
  const when = make("td", "when", today ? clock(line.at, true) : day);
  row.title = `${day} ${clock(line.at, true)} ${line.key}`;
  row.append(when, what, amount, make("td", "balance", money(line.balance)));
  $("ledger").prepend(row);
  while ($("ledger").childElementCount > 60) $("ledger").lastElementChild.remove();
}

// What can be pressed

function openTab(tab) { document.body.dataset.tab = tab; if (tab === "inside") mark(); }

function wire() {
  for (const [key, letters] of Object.entries({ 1: "", 2: "абвг", 3: "деёж", 4: "зийк", 5: "лмно", 6: "прст", 7: "уфхц", 8: "чшщъ", 9: "ыьэюя", "*": "", 0: "+", "#": "" })) {
    const button = make("button", "", key);
    button.type = "button";
    button.dataset.key = key;
    button.append(make("small", "", letters));
    button.addEventListener("click", () => press(key));
    $("pad").append(button);
  }
  // Integer-like keys come first in an object; the pad has its own order.
  for (const key of ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"]) $("pad").append($("pad").querySelector(`[data-key="${key}"]`));
  $("call").addEventListener("click", () => { if ($("number").textContent) dialOrCall($("number").textContent); });
  $("erase").addEventListener("click", () => { $("number").textContent = $("number").textContent.slice(0, -1); });
  $("ussd").addEventListener("submit", (event) => {
    event.preventDefault();
    if (state.ussd?.state === "menu") order("answer", { phone: state.phone, text: $("ussd-input").value });
    else order("cancel", { phone: state.phone });
  });
  $("ussd-cancel").addEventListener("click", () => order("cancel", { phone: state.phone }));
  $("compose").addEventListener("submit", (event) => { event.preventDefault(); sendSms(); });
  $("sms-text").addEventListener("input", (event) => fit(event.target));
  $("sms-text").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey) { event.preventDefault(); sendSms(); }
  });
  $("banner").addEventListener("click", () => { state.thread = $("banner").dataset.number; openView("sms"); });
  $("find").addEventListener("input", drawServices);
  for (const name of ["side", "outside"]) {
    document.querySelectorAll(`button[data-${name}]`).forEach((b) => b.addEventListener("click", () => {
      document.body.dataset[name] = b.dataset[name];
      document.querySelectorAll(`button[data-${name}]`).forEach((one) => one.setAttribute("aria-pressed", String(one === b)));
    }));
  }
  document.querySelectorAll(".switches button").forEach((b) => { b.title = b.querySelector("span").textContent; });
  document.querySelectorAll("[data-recipe]").forEach((b) => b.addEventListener("click", async () => {
    if (await order("trouble", { name: b.dataset.recipe, on: true })) take({ kind: "ussd", code: b.dataset.code, dial: b.dataset.code });
  }));
  $("files").addEventListener("change", (event) => {
    state.pinned = event.target.value;
    openFile(state.pinned, state.report.build).then(drawFlow);
  });
  $("start-over").addEventListener("click", async () => { if (await order("start-over", {})) toast("Fresh books, empty store"); });
  document.querySelectorAll("[data-view]").forEach((b) => b.addEventListener("click", () => {
    if (b.dataset.view === "sms" && !unread(state.thread)) state.thread = threads().find(unread) || state.thread;
    openView(b.dataset.view);
  }));
  document.querySelectorAll("nav [data-tab]").forEach((b) => b.addEventListener("click", () => openTab(b.dataset.tab)));
  document.querySelectorAll("[data-call]:is(button)").forEach((b) => b.addEventListener("click", () => Call.start(b.dataset.call)));
  document.querySelectorAll("[data-dial]").forEach((b) => b.addEventListener("click", () => dial(b.dataset.dial)));
  document.querySelectorAll("[data-sms]").forEach((b) => b.addEventListener("click", () => {
    state.thread = b.dataset.sms;
    openView("sms");
    order("sms", { phone: state.phone, to: b.dataset.sms, text: "" });
  }));
  document.querySelectorAll("[data-trouble]").forEach((b) => b.addEventListener("click", () => {
    order("trouble", { name: b.dataset.trouble, on: b.getAttribute("aria-pressed") !== "true" });
  }));
  document.addEventListener("keydown", (event) => {
    if (event.code === "Slash" && !/^(INPUT|TEXTAREA)$/.test(event.target.tagName) && $("find").offsetParent) { event.preventDefault(); $("find").focus(); return; }
    if (/^(INPUT|TEXTAREA|SELECT|BUTTON)$/.test(event.target.tagName) || !$("ussd").hidden || $("view-dial").hidden) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (Call.active()) { Call.press(event.key); return; }
    if (/^[0-9*#+]$/.test(event.key)) press(event.key);
    else if (event.key === "Backspace") $("erase").click();
    else if (event.key === "Enter") $("call").click();
  });
}

wire();
Call.wire();
setInterval(tick, 1000);
listen(/^#\d{11}$/.test(location.hash) ? location.hash.slice(1) : "79160000001");
