// The specialist's page: one stream of events in, two orders out. All texts are set as text, never as markup.
"use strict";

const AHEAD_S = 30; // less of a head start is not worth a word
const EPOCH_S = 1767225600, HIGHEST = 2000000000; // the scale of the keys of the queue
const agent = sessionStorage.getItem("agent") || Math.random().toString(36).slice(2, 10).padEnd(4, "0");
sessionStorage.setItem("agent", agent);
let floor = null;

const shownPhone = (phone) => phone.replace(/^7(\d{3})(\d{3})(\d\d)(\d\d)$/, "+7 $1 $2-$3-$4");
const lasted = (since) => {
  const seconds = Math.max(0, Math.floor((Date.now() - since) / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
};

const act = (path, body) => order(`specialist/${path}`, { agent, ...body });

function trail(card) {
  const list = make("ol", "trail");
  list.lang = "ru";
  list.append(...card.trail.map((step) => make("li", "", step)));
  return list;
}

function person(card) {
  const box = make("div", "person");
  const name = make("b", "", card.name || shownPhone(card.phone));
  name.lang = "ru";
  box.append(name, " ", make("span", "", card.name ? shownPhone(card.phone) : ""));
  return box;
}

function marks(one) {
  const row = make("div", "marks-row");
  row.append(make("i", "", one.outside ? `connection to ${one.queue}` : `queue ${one.queue}`), make("i", "", one.card.number ? `called ${one.card.number}` : "wants a call back"));
  const ahead = one.priority - (HIGHEST - Math.floor(one.since / 1000 - EPOCH_S));
  if (ahead >= AHEAD_S) row.append(make("i", "ahead", `${Math.max(1, Math.round(ahead / 60))} min ahead`));
  return row;
}

function waiter(one, index) {
  const row = make("li");
  row.dataset.id = one.id;
  const waits = make("time", "waits", lasted(one.since));
  waits.dataset.since = one.since;
  row.append(make("span", "rank", `${index + 1}`), person(one.card), waits, marks(one), trail(one.card));
  if (index > 0) {
    const take = make("button", "take", "Answer this one first");
    take.type = "button";
    take.disabled = Boolean(floor.talk);
    take.addEventListener("click", () => act("answer", { id: one.id }));
    row.append(take);
  }
  return row;
}

function drawTalk() {
  const { talk } = floor;
  $("talk").dataset.state = talk ? "talk" : "free";
  $("talk-head").textContent = !talk ? "No talk" : talk.rings ? "Calling the subscriber" : "Connected";
  $("endings").hidden = !talk;
  $("talk-time").textContent = talk ? lasted(talk.answered) : "";
  if (!talk) {
    $("talk-body").replaceChildren(make("p", "empty", floor.waiting.length ? "A caller waits" : "You are on duty"));
    return;
  }
  $("escalate").hidden = talk.outside;
  const parts = [person(talk.card), marks(talk), trail(talk.card)];
  parts[0].className = "person who";
  if (talk.card.note) parts.push(make("p", "note", talk.card.note));
  $("talk-body").replaceChildren(...parts);
}

function draw() {
  const { waiting } = floor;
  $("count").textContent = waiting.length ? String(waiting.length) : "";
  $("next").disabled = !waiting.length || Boolean(floor.talk);
  $("waiting").replaceChildren(...waiting.map(waiter));
  document.title = `${waiting.length ? `(${waiting.length}) ` : ""}Гудок — specialist`;
  const others = floor.on_duty - 1;
  $("duty").textContent = floor.talk ? "in a talk" : others > 0 ? `on duty, with ${others} more` : "on duty";
  $("duty-light").dataset.state = "good";
  drawTalk();
}

function tick() {
  for (const time of document.querySelectorAll("[data-since]")) time.textContent = lasted(Number(time.dataset.since));
  if (floor?.talk) $("talk-time").textContent = lasted(floor.talk.answered);
}

function listen() {
  const stream = new EventSource(`/specialist/events?agent=${encodeURIComponent(agent)}`);
  stream.addEventListener("floor", (event) => { floor = JSON.parse(event.data); draw(); });
  stream.addEventListener("error", () => {
    $("duty").textContent = "reconnecting";
    $("duty-light").dataset.state = "bad";
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, 1500);
  });
}

$("next").addEventListener("click", () => act("answer", {}));
$("endings").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) act("finish", { result: button.dataset.result });
});
setInterval(tick, 500);
listen();
