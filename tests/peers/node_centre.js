// A USSD centre on the npm package "smpp", told what to do by JSON lines on standard input.
// Every thing that happens is a JSON line on standard output.
//   in:  {"do":"unit","op":1,"msisdn":"7916...","to":"929","text":"*929#","info":"0700"}
//        {"do":"sms","msisdn":"7916...","to":"9290","text":"balance"}
//        {"do":"deliver","n":1,"source":"7916...","to":"929","service_type":"USSD","coding":0,"esm_class":0,
//         "hex":"2a3932392a23","tlvs":[[1281,"01"]]}   answered by {"event":"answered","n":1,..}
//        {"do":"throttle","count":3}   the next three submit_sm get 0x58
//        {"do":"enquire"} {"do":"unbind"} {"do":"close"}
//   out: {"event":"listening","port":n} {"event":"bound","system_id":..,"version":..}
//        {"event":"answered","text":..,"status":n} {"event":"submit","op":..,"info":..,"text":..,"to":..}
//        {"event":"alive"} {"event":"unbound"} {"event":"closed"}
"use strict";

const fs = require("fs");
const path = require("path");
const readline = require("readline");
const modules = process.env.GUDOK_NODE_MODULES || path.join(__dirname, "node_modules");
const smpp = require(path.join(modules, "smpp"));

// A session number of its own, as one maker of centres has it.
smpp.addTLV("session_number", { id: 0x1501, type: smpp.types.tlv.buffer });

// The package decodes a text and forgets its octets: keep them as well.
const decodeMessage = smpp.filters.message.decode;
smpp.filters.message.decode = function (value, skipUdh) {
  if (Buffer.isBuffer(value)) {
    Object.defineProperty(this, "octets", { value: value.toString("hex"), configurable: true });
  }
  return decodeMessage.call(this, value, skipUdh);
};

const sessions = new Set();
let throttle = 0;
let ids = 0;

function tell(event) {
  process.stdout.write(JSON.stringify(event) + "\n");
}

function text(pdu) {
  const message = pdu.short_message && pdu.short_message.message;
  return Buffer.isBuffer(message) ? message.toString("latin1") : message || "";
}

function writtenTlvs(pdu) {
  return Object.keys(pdu)
    .filter((name) => name in smpp.tlvs)
    .map(function (name) {
      const { id, type } = smpp.tlvs[name];
      const octets = Buffer.alloc(type.size(pdu[name]));
      type.write(pdu[name], octets, 0);
      return [id, octets.toString("hex")];
    });
}

function readTlvs(pairs) {
  const read = {};
  for (const [id, hex] of pairs) {
    const octets = Buffer.from(hex, "hex");
    read[smpp.tlvsById[id].tag] = smpp.tlvsById[id].type.read(octets, 0, octets.length);
  }
  return read;
}

function bind(session, pdu) {
  session.send(pdu.response({ system_id: "node" }));
  sessions.add(session);
  tell({ event: "bound", system_id: pdu.system_id, version: pdu.interface_version, how: pdu.command });
}

// With a key and a certificate the centre speaks TLS.
const tls = process.env.GUDOK_TLS_KEY
  ? { key: fs.readFileSync(process.env.GUDOK_TLS_KEY), cert: fs.readFileSync(process.env.GUDOK_TLS_CERT) }
  : {};

const server = smpp.createServer(tls, function (session) {
  for (const how of ["bind_transceiver", "bind_transmitter", "bind_receiver"]) {
    session.on(how, (pdu) => bind(session, pdu));
  }
  session.on("submit_sm", function (pdu) {
    if (throttle > 0) {
      throttle -= 1;
      session.send(pdu.response({ command_status: smpp.ESME_RTHROTTLED }));
      tell({ event: "throttled", text: text(pdu) });
      return;
    }
    ids += 1;
    session.send(pdu.response({ message_id: "node-" + ids }));
    tell({
      event: "submit",
      id: "node-" + ids,
      hex: pdu.octets || "",
      tlvs: writtenTlvs(pdu),
      esm_class: pdu.esm_class,
      receipt: pdu.registered_delivery,
      op: pdu.ussd_service_op,
      info: pdu.its_session_info ? pdu.its_session_info.toString("hex") : null,
      text: text(pdu),
      coding: pdu.data_coding,
      to: pdu.destination_addr,
      from: pdu.source_addr,
      service_type: pdu.service_type,
    });
  });
  session.on("enquire_link", (pdu) => session.send(pdu.response()));
  session.on("unbind", function (pdu) {
    session.send(pdu.response());
    tell({ event: "unbound" });
    session.close();
  });
  session.on("close", function () {
    sessions.delete(session);
    tell({ event: "closed" });
  });
  session.on("error", () => {});
});

function deliverAll(order) {
  const pdu = {
    service_type: order.service_type,
    source_addr_ton: 1,
    source_addr_npi: 1,
    source_addr: order.source,
    destination_addr: order.to,
    esm_class: order.esm_class,
    data_coding: order.coding,
    short_message: Buffer.from(order.hex, "hex"),
    ...readTlvs(order.tlvs),
  };
  const session = sessions.values().next().value;
  session.deliver_sm(pdu, (answer) =>
    tell({ event: "answered", n: order.n, status: answer.command_status }),
  );
}

function deliver(order) {
  const session = sessions.values().next().value;
  const pdu = {
    source_addr_ton: 1,
    source_addr_npi: 1,
    source_addr: order.msisdn,
    destination_addr: order.to,
    short_message: order.text,
  };
  if (order.do === "unit") {
    pdu.service_type = "USSD";
    pdu.ussd_service_op = order.op;
    if (order.info) {
      pdu.its_session_info = Buffer.from(order.info, "hex");
    }
  }
  session.deliver_sm(pdu, (answer) =>
    tell({ event: "answered", text: order.text, status: answer.command_status }),
  );
}

const acts = {
  unit: deliver,
  sms: deliver,
  deliver: deliverAll,
  throttle: (order) => {
    throttle = order.count;
    tell({ event: "ready" });
  },
  enquire: () => sessions.forEach((session) => session.enquire_link(() => tell({ event: "alive" }))),
  unbind: () => sessions.forEach((session) => session.unbind(() => session.close())),
  close: () => sessions.forEach((session) => session.destroy()),
};

readline.createInterface({ input: process.stdin }).on("line", function (line) {
  const order = JSON.parse(line);
  acts[order.do](order);
});
process.stdin.on("end", () => process.exit(0));

server.listen(0, "127.0.0.1", () => tell({ event: "listening", port: server.address().port }));
