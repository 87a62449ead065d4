// A call of the handset: its prompts are heard and read, its keys are tones, its state is on the display.
// What it needs of the page ($, make, order, state, clock) is in handset.js.
"use strict";

const Call = (() => {
  const ROWS = { 1: 697, 2: 697, 3: 697, 4: 770, 5: 770, 6: 770, 7: 852, 8: 852, 9: 852, "*": 941, 0: 941, "#": 941 };
  const COLUMNS = { 1: 1209, 4: 1209, 7: 1209, "*": 1209, 2: 1336, 5: 1336, 8: 1336, 0: 1336, 3: 1477, 6: 1477, 9: 1477, "#": 1477 };
  const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];
  const RATES = [1, 1.5, 2];
  const own = { rate: 1, muted: false };
  let call = null;
  let playing = 0;
  let typed = new Map(); // what was pressed after which prompt; kept on this page only
  let sound = null;      // made with the first touch, as browsers want it
  let ringing = 0;

  const active = () => Boolean(call) && call.state !== "ended";

  // Sound

  function tones(frequencies, seconds, loud) {
    if (own.muted || !navigator.userActivation?.hasBeenActive) return; // before a touch nothing may sound
    sound ??= new AudioContext();
    const gain = sound.createGain();
    gain.gain.value = loud;
    gain.connect(sound.destination);
    for (const frequency of frequencies) {
      const tone = sound.createOscillator();
      tone.frequency.value = frequency;
      tone.connect(gain);
      tone.start();
      tone.stop(sound.currentTime + seconds);
    }
  }

  function ringback(on) {
    clearInterval(ringing);
    ringing = 0;
    if (!on) return;
    tones([425], 0.8, 0.04);
    ringing = setInterval(() => tones([425], 0.8, 0.04), 4000);
  }

  function play(id) {
    const voice = $("voice");
    playing = id;
    voice.onended = voice.onerror = null;
    voice.pause();
    $("call-hear").hidden = true;
    if (!id) return;
    const over = () => { if (playing === id) order("call/heard", { phone: state.phone, id }); };
    voice.onended = over;
    voice.onerror = over;
    voice.src = `/call/sound?phone=${encodeURIComponent(state.phone)}&id=${id}`;
    voice.muted = own.muted;
    voice.defaultPlaybackRate = voice.playbackRate = own.rate;
    voice.play().catch((error) => { if (error.name === "NotAllowedError") $("call-hear").hidden = false; });
  }

  // What is seen

  const lasted = (since) => {
    const seconds = Math.max(0, Math.floor((Date.now() - since) / 1000));
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  };

  function stateText() {
    switch (call.state) {
      case "ringing": return "calling…";
      case "incoming": return "incoming call";
      case "talking": return call.records ? "speak, then press #" : lasted(call.since);
      case "queue": return call.outside ? `connecting to ${call.queue} · ${lasted(call.since)}`
        : `in the queue “${call.queue}”, place ${call.place} of ${call.waiting} · ${lasted(call.since)}`;
      case "people": return `${call.outside ? `connected to ${call.queue}` : "with a specialist"} · ${lasted(call.since)}`;
      default: return call.reason;
    }
  }

  function tick() {
    if (call) $("call-state").textContent = stateText();
  }

  function line(said) {
    const row = make("li", said.id && said.id === playing ? "now" : "");
    row.dataset.id = said.id;
    const text = make("p", said.secret ? "secret" : "", said.secret ? "A secret: it is heard, not written" : said.text);
    if (!said.secret) text.lang = said.id ? "ru" : "en";
    row.append(text);
    const keys = typed.get(said.id);
    if (keys) row.append(make("kbd", "", keys));
    return row;
  }

  function draw() {
    $("view-dial").dataset.call = call ? "yes" : "no";
    $("call-view").hidden = !call;
    if (!call) return;
    const ended = call.state === "ended";
    $("call-view").dataset.state = call.state;
    $("call-number").textContent = call.number;
    $("call-service").textContent = call.service.replace(call.number, "").trim() || "nothing is behind this number";
    tick();
    $("call-said").replaceChildren(...call.said.map(line));
    $("call-nobody").hidden = call.state !== "queue" || call.on_duty > 0;
    const rings = call.state === "incoming";
    $("pick-up").hidden = !rings;
    $("call-mute").hidden = $("call-rate").hidden = $("call-pad").hidden = rings;
    $("call-said").scrollTop = $("call-said").scrollHeight;
    $("hang-up").setAttribute("aria-label", ended ? "Close" : call.state === "incoming" ? "Decline" : "Hang up");
    $("call-pad").querySelectorAll("button").forEach((button) => { button.disabled = ended; });
  }

  /** Take what the exchange says of the call; null: there is none. */
  function take(next) {
    if (next?.id !== call?.id) {
      typed = new Map();
      playing = 0;
    }
    const before = call?.state;
    call = next;
    const id = next?.playing || 0;
    if (id !== playing) play(id);
    const rings = ["ringing", "queue", "incoming"].includes(next?.state);
    if (rings !== Boolean(ringing)) ringback(rings);
    if (next?.state === "incoming" && before !== "incoming") {
      openView("dial");
      ring();
    }
    if (next?.state === "ended" && before !== "ended" && before) tones([425], 0.25, 0.04);
    draw();
  }

  // What is pressed

  function start(number) {
    $("number").textContent = "";
    openView("dial");
    order("call", { phone: state.phone, number });
  }

  function press(key) {
    if (!active() || call.state === "incoming" || !ROWS[key]) return;
    tones([ROWS[key], COLUMNS[key]], 0.12, 0.06);
    const after = call.said.at(-1)?.id || 0;
    typed.set(after, ((typed.get(after) || "") + key).slice(-20));
    draw();
    order("call/key", { phone: state.phone, key });
  }

  function hangUp() {
    if (!call) return;
    play(0);
    order("call/hangup", { phone: state.phone });
  }

  /** Another subscriber is shown: this call is not left hanging. */
  function leave() {
    if (active() && call.state !== "incoming") hangUp();
    take(null);
  }

  function wire() {
    $("call-pad").append(...KEYS.map((key) => {
      const button = make("button", "", key);
      button.type = "button";
      button.dataset.dtmf = key;
      button.addEventListener("click", () => press(key));
      return button;
    }));
    $("hang-up").addEventListener("click", hangUp);
    $("pick-up").addEventListener("click", () => order("call/pick-up", { phone: state.phone }));
    $("call-hear").addEventListener("click", () => { $("call-hear").hidden = true; $("voice").play(); });
    $("call-mute").addEventListener("click", () => {
      own.muted = $("voice").muted = !own.muted;
      $("call-mute").setAttribute("aria-pressed", String(own.muted));
    });
    $("call-rate").addEventListener("click", () => {
      own.rate = RATES[(RATES.indexOf(own.rate) + 1) % RATES.length];
      $("voice").playbackRate = own.rate;
      $("call-rate").textContent = `${own.rate}×`;
    });
    setInterval(tick, 500);
  }

  return { take, start, press, leave, wire, active, own };
})();
