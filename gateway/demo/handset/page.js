// What every page of the demo can do: make elements, complain, order. All texts are set as text, never as markup.
"use strict";

const $ = (id) => document.getElementById(id);

function make(tag, kind, text) {
  const element = document.createElement(tag);
  if (kind) element.className = kind;
  if (text !== undefined) element.textContent = text;
  return element;
}

async function order(path, body) {
  try {
    const response = await fetch("/" + path, { method: "POST", headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body) });
    if (!response.ok) complain((await response.json()).error);
    return response.ok;
  } catch {
    complain("The demo does not answer. Is it still running?");
    return false;
  }
}

let complaintTimer = 0;
function complain(text) {
  $("complaint").textContent = text;
  $("complaint").hidden = false;
  clearTimeout(complaintTimer);
  complaintTimer = setTimeout(() => { $("complaint").hidden = true; }, 6000);
}
