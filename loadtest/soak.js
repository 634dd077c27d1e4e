// The same checkouts for a long time, at a rate that leaves room: does it stay as it began? Beside
// them the server's own metrics are looked at: how far the ledger is behind, and memory.
import exec from 'k6/execution';
import http from 'k6/http';
import { Gauge, Trend } from 'k6/metrics';
import { checkout } from './lib/checkout.js';
import { finalCheck } from './lib/final.js';
import { options as optionsOf, summary } from './lib/report.js';
import { open } from './lib/sale.js';
import { settings } from './lib/settings.js';

const LAG_MS_MAX = 5000;
const s = settings({ rate: 40, duration: '45s', units: 1000000, skus: 100, buyer_seconds: 2 });

export const options = optionsOf(s, {
  buyers: { executor: 'constant-arrival-rate', exec: 'buyer', rate: s.rate, duration: `${s.seconds}s`, preAllocatedVUs: s.vus },
  watch: { executor: 'constant-arrival-rate', exec: 'watch', rate: 1, duration: `${s.seconds}s`, preAllocatedVUs: 5 },
}, {
  ledger_lag: [`p(99)<${LAG_MS_MAX}`],
});

export function setup() {
  return open(s, 'soak', s.locations);
}

export function buyer(sale) {
  checkout(s, sale, `${sale.run}-${exec.scenario.iterationInTest}`);
}

const lag = new Trend('ledger_lag', true);
const waiting = new Gauge('ledger_waiting_entries');
const memory = new Gauge('server_memory_bytes');

export function watch() {
  const res = http.get(`${s.url}/metrics`, { tags: { name: 'metrics' } });
  const value = (name) => Number((res.body.match(new RegExp(`^${name} (.*)$`, 'm')) || [])[1]);
  if (res.status !== 200 || Number.isNaN(value('holdfast_ledger_lag_seconds'))) {
    return; // closed to load testers, or another process is the one that applies
  }
  lag.add(1000 * value('holdfast_ledger_lag_seconds'));
  waiting.add(value('holdfast_ledger_waiting_entries'));
  memory.add(value('process_resident_memory_bytes'));
}

export function teardown(sale) {
  finalCheck(s, sale);
}

export function handleSummary(data) {
  return summary(s, 'soak', data);
}
