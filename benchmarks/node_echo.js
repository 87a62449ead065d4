// The usual way to write an ESME in Node.js: the npm package `smpp`, a fixed menu, nothing stored.
//
//     node benchmarks/node_echo.js PORT FOLDER     (FOLDER has node_modules/smpp in it)
'use strict';

const { createRequire } = require('module');
const path = require('path');

const port = Number(process.argv[2]);
const smpp = createRequire(path.resolve(process.argv[3], 'package.json'))('smpp');

const PAGES = [
  () => 'Refresh your package\n1 Refresh\n2 Balance\n3 Contract',
  () => 'Refresh costs 90 rub, balance 150 rub. Confirm?\n1 Yes\n2 No',
  (msisdn) => `Done ${msisdn}. The package is refreshed until 30.11`,
];
const steps = new Map();

function text(pdu) {
  const written = pdu.short_message;
  const typed = written && written.message !== undefined ? written.message : written;
  return Buffer.isBuffer(typed) ? typed.toString('latin1') : String(typed);
}

function answer(session, pdu) {
  session.send(pdu.response());
  const msisdn = pdu.source_addr;
  const step = text(pdu).startsWith('*') ? 0 : steps.get(msisdn) || 0;
  const last = step === PAGES.length - 1;
  if (last) steps.delete(msisdn);
  else steps.set(msisdn, step + 1);
  session.submit_sm({
    service_type: 'USSD',
    source_addr_ton: 0,
    source_addr_npi: 1,
    source_addr: pdu.destination_addr,
    dest_addr_ton: 1,
    dest_addr_npi: 1,
    destination_addr: msisdn,
    data_coding: 0,
    short_message: Buffer.from(PAGES[step](msisdn), 'latin1'),
    ussd_service_op: last ? 17 : 2,
  });
}

function start(tries) {
  const session = smpp.connect({ url: `smpp://127.0.0.1:${port}` }, () => {
    session.socket.setNoDelay(true);
    session.bind_transceiver({ system_id: 'test', password: 'test' });
  });
  session.on('deliver_sm', (pdu) => answer(session, pdu));
  session.on('enquire_link', (pdu) => session.send(pdu.response()));
  session.on('error', () => {
    if (tries > 0) setTimeout(() => start(tries - 1), 20);
  });
  session.on('close', () => { if (steps.size || tries === 0) process.exit(0); });
}

start(250);
