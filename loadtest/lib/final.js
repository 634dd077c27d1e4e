// The teardown: it reads the levels and reservations of the sale from the API, and compares them with the
// answers that buyers got.
import { sleep } from 'k6';
import { Counter } from 'k6/metrics';
import { call, said } from './call.js';
import { books } from './buyer.js';
import { add, states, tally, weigh } from './books.js';
import { levels, sku } from './sale.js';

const PAGE = 500;
const FAULTS_LOGGED_MAX = 20;

const finalChecks = new Counter('final_checks'); // 1 once the check is complete
const faults = new Counter('faults');
const oversoldUnits = new Counter('oversold_units');
const found = new Counter('found'); // reservations, by state

// finalCheck waits until the ledger has caught up and abandoned holds have expired, for at most
// settle_seconds after the first check. It then counts the differences.
export function finalCheck(s, sale) {
  const put = levels(sale);
  awaitLedger(s, sale);
  let result = check(s, sale, put);
  const deadline = Date.now() + s.settle_seconds * 1000;
  while (!result.settled && Date.now() < deadline) {
    sleep(1);
    result = check(s, sale, put);
  }
  for (const fault of result.faults.slice(0, FAULTS_LOGGED_MAX)) {
    console.error(`final check: ${fault}`);
  }
  faults.add(result.faults.length);
  oversoldUnits.add(result.oversold);
  for (const state of states) {
    found.add(result.found[state], { state });
    books.add(-result.found[state], { state });
  }
  finalChecks.add(1);
}

// check returns {faults, oversold, found, settled}. It is settled if waiting would change nothing.
function check(s, sale, put) {
  const t = tally();
  const soon = Date.now() + s.settle_seconds * 1000;
  let waits = false;
  eachPage(s, sale, (reservations) => {
    add(t, reservations);
    waits = waits || reservations.some((r) => expiresBy(r, soon));
  });
  const oversold = weigh(t, put, readLevels(s, sale));
  return { faults: t.faults, oversold, found: t.found, settled: t.faults.length === 0 && !waits };
}

// expiresBy reports whether r is an abandoned hold: the other holds last much longer than a run.
function expiresBy(r, time) {
  return r.state === 'held' && Date.parse(r.expires_at) < time;
}

// awaitLedger makes a durable call that changes nothing. The ledger applies events in order. So once this
// call is answered, Postgres has everything that was answered before it.
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

// eachPage reads all pages of the run's reservations. Each has the name of the run as its order.
function eachPage(s, sale, use) {
  for (let cursor = ''; cursor !== undefined;) {
    const query = `order=${sale.run}&limit=${PAGE}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`;
    const page = read(s, `/v1/reservations?${query}`, 'reservations');
    use(page.reservations);
    cursor = page.next_cursor;
  }
}

function read(s, path, name) {
  const a = call(s, 'GET', path, undefined, name);
  if (a.status !== 200 || a.body === null) {
    throw new Error(`${path}: ${said(a)}`);
  }
  return a.body;
}
