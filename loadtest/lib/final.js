// Teardown: reads from the API what became of the sale, and holds it against what buyers were told.
import { sleep } from 'k6';
import { Counter } from 'k6/metrics';
import { call, said } from './call.js';
import { books } from './buyer.js';
import { compare, states } from './books.js';
import { levels, sku } from './sale.js';

const PAGE = 500;
const FAULTS_LOGGED_MAX = 20;

const finalChecks = new Counter('final_checks'); // 1 once the check was made to its end
const faults = new Counter('faults');
const oversoldUnits = new Counter('oversold_units');
const found = new Counter('found'); // reservations, by state

// finalCheck waits until the ledger has followed and what was abandoned has expired, at most
// settle_seconds, and counts what is off then.
export function finalCheck(s, sale) {
  const deadline = Date.now() + s.settle_seconds * 1000;
  const put = levels(sale);
  awaitLedger(s, sale);
  let result;
  for (;;) {
    const reservations = readReservations(s, sale);
    result = compare(put, readLevels(s, sale), reservations);
    const settled = result.faults.length === 0 && !reservations.some((r) => expiresBy(r, deadline));
    if (settled || Date.now() > deadline) {
      break;
    }
    sleep(1);
  }
  for (const fault of result.faults.slice(0, FAULTS_LOGGED_MAX)) {
    console.error(`final check: ${fault}`);
  }
  faults.add(result.faults.length);
  oversoldUnits.add(result.oversold_units);
  for (const state of states) {
    found.add(result.found[state], { state });
    books.add(-result.found[state], { state });
  }
  finalChecks.add(1);
}

// expiresBy says whether r was abandoned: what buyers keep is held for much longer than a run.
function expiresBy(r, deadline) {
  return r.state === 'held' && Date.parse(r.expires_at) < deadline;
}

// awaitLedger makes a durable call that changes nothing. The ledger applies events in order: once
// this one is answered, Postgres has all that was answered before it.
function awaitLedger(s, sale) {
  const path = `/v1/stock/${sku(sale.run, 0)}/${sale.locations[0]}`;
  const a = call(s, 'PUT', path, { id: `${sale.run}-end`, safety_stock: 0, reason: 'load test' }, 'end');
  if (a.status !== 200) {
    throw new Error(`the ledger does not follow: ${said(a)}`);
  }
}

function readLevels(s, sale) {
  const all = [];
  for (let i = 0; i < sale.skus; i++) {
    all.push(...read(s, `/v1/stock/${sku(sale.run, i)}`, 'stock').levels);
  }
  return all;
}

// readReservations reads all pages of the run's reservations: its name is their order.
function readReservations(s, sale) {
  const all = [];
  for (let cursor = ''; ;) {
    const query = `order=${sale.run}&limit=${PAGE}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`;
    const page = read(s, `/v1/reservations?${query}`, 'reservations');
    all.push(...page.reservations);
    cursor = page.next_cursor;
    if (!cursor) {
      return all;
    }
  }
}

function read(s, path, name) {
  const a = call(s, 'GET', path, undefined, name);
  if (a.status !== 200 || a.body === null) {
    throw new Error(`${path}: ${said(a)}`);
  }
  return a.body;
}
