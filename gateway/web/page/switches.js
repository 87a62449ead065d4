"use strict";

const TOKEN = "gudok-token";
const byId = (id) => document.getElementById(id);

function say(text, bad) {
  byId("said").textContent = text;
  byId("said").className = bad ? "bad" : "";
}

async function ask(order) {
  const headers = { "Content-Type": "application/json", "X-Gudok-Who": "page" };
  const token = sessionStorage.getItem(TOKEN);
  if (token) headers.Authorization = "Bearer " + token;
  const options = order ? { method: "POST", headers, body: JSON.stringify(order) } : { headers };
  const response = await fetch("/api/switches", options);
  const data = await response.json();
  if (response.status === 401) {
    byId("login").hidden = false;
    byId("main").hidden = true;
  }
  if (!response.ok) throw new Error(data.error);
  return data;
}

function line(text, label, order) {
  const item = document.createElement("li");
  const words = document.createElement("span");
  words.textContent = text;
  const button = document.createElement("button");
  button.textContent = label;
  button.addEventListener("click", () => carryOut(order));
  item.append(words, button);
  return item;
}

function fill(id, items) {
  const none = document.createElement("li");
  none.textContent = "none";
  byId(id).replaceChildren(...(items.length ? items : [none]));
}

function show(data) {
  const title = (flow) => data.flows[flow] ? flow + ", " + data.flows[flow] : flow;
  fill("off", Object.entries(data.off).map(([flow, texts]) => {
    const said = Object.entries(texts).map(([channel, text]) => (channel || "all") + ": " + (text || "(the usual text)"));
    return line(title(flow) + " — " + said.join("; "), "Switch on", { act: "on", flow });
  }));
  fill("blocked", Object.entries(data.blocked).map(([number, text]) =>
    line(number + (text ? " — " + text : ""), "Unblock", { act: "unblock", number })));
  fill("allowed", Object.entries(data.allowed).flatMap(([flow, numbers]) => [
    line(title(flow), "Open to everybody", { act: "open", flow }),
    ...numbers.map((number) => line(number, "Take out", { act: "disallow", flow, number })),
  ]));
  byId("announcement").textContent = data.announcement || "none";
  byId("audit").replaceChildren(...data.audit.map((row) => {
    const line = document.createElement("tr");
    const cells = [new Date(row.at).toLocaleString(), row.who, row.act, row.object, row.detail];
    line.append(...cells.map((text) => {
      const cell = document.createElement("td");
      cell.textContent = text;
      return cell;
    }));
    return line;
  }));
  for (const list of document.querySelectorAll("select[name=flow]")) {
    const chosen = list.value;
    list.replaceChildren(...Object.keys(data.flows).map((flow) => new Option(title(flow), flow)));
    if (data.flows[chosen]) list.value = chosen;
  }
  byId("login").hidden = true;
  byId("main").hidden = false;
}

async function look() {
  try {
    show(await ask());
  } catch (error) {
    say(error.message, true);
  }
}

async function carryOut(order) {
  try {
    await ask(order);
    say("Done: " + order.act);
  } catch (error) {
    say(error.message, true);
    return;
  }
  await look();
}

for (const form of document.querySelectorAll("form[data-act]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    carryOut({ act: form.dataset.act, ...Object.fromEntries(new FormData(form)) });
  });
}
byId("login").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(TOKEN, new FormData(event.target).get("token"));
  say("");
  look();
});
look();
