// Light colouring of YAML flows, line by line. Everything becomes text nodes: no markup is ever parsed.
"use strict";

const Code = (() => {
  const PIECES = [
    ["rest", /^(\s+)/],
    ["note", /^(#.*)$/],
    ["dash", /^(-)(?=\s|$)/],
    ["key", /^("(?:[^"\\]|\\.)*"|[^\s#:{}"'][^:{}]*?)(?=:(?:\s|$))/],
  ];
  const VALUES = [
    ["note", /^(\s#.*)$/],
    ["slot", /^(\{\{.*?\}\}|\{%.*?%\})/],
    ["text", /^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')/],
    ["word", /^(yes|no|none|true|false)(?=[\s,}\]]|$)/],
    ["number", /^(\d+(?:\.\d+)?(?:ms|s|m|h|d)?)(?=[\s,}\]]|$)/],
  ];

  function span(kind, text) {
    const element = document.createElement("span");
    element.className = "y-" + kind;
    element.textContent = text;
    return element;
  }

  /** Return the coloured pieces of one line. */
  function paint(line) {
    const out = document.createDocumentFragment();
    let left = line.slice(0, 2000);
    let head = true;
    let plain = "";
    let fresh = true; // a value word begins after white space
    const flush = () => { if (plain) out.append(span("rest", plain)); plain = ""; };
    while (left) {
      const found = (head ? PIECES : VALUES).map(([kind, form]) => [kind, form.exec(left)])
        .find(([kind, match]) => match && (head || fresh || kind === "slot" || kind === "note"));
      if (found) {
        flush();
        out.append(span(found[0], found[1][1]));
        left = left.slice(found[1][1].length);
        if (found[0] === "key") head = false;
        fresh = false;
        continue;
      }
      head = false;
      fresh = /[\s,[{:]/.test(left[0]);
      plain += left[0];
      left = left.slice(1);
    }
    flush();
    return out;
  }

  /** Fill `place` with the lines of a text; the lines are its children. */
  function show(place, text) {
    const lines = text.split("\n").slice(0, 4000);
    if (lines.at(-1) === "") lines.pop();
    place.replaceChildren(...lines.map((line) => {
      const row = document.createElement("div");
      row.className = "line";
      const body = document.createElement("span");
      body.append(paint(line));
      row.append(body);
      return row;
    }));
  }

  return { show };
})();
