// The checkouts of checkout_mix for a long time, at a moderate rate. It shows whether latency and memory
// stay as they began, and whether the ledger keeps up.
import exec from 'k6/execution';
import { checkout } from './lib/checkout.js';
import { finalCheck } from './lib/final.js';
import { options as optionsOf, summary } from './lib/report.js';
import { open } from './lib/sale.js';
import { settings } from './lib/settings.js';
import { look, watcher } from './lib/watch.js';

const LAG_MS_MAX = 5000;
const s = settings({ rate: 40, duration: '45s', units: 1000000, skus: 100, buyer_seconds: 2 });

export const options = optionsOf(s, {
  buyers: { executor: 'constant-arrival-rate', exec: 'buyer', rate: s.rate, duration: `${s.seconds}s`, preAllocatedVUs: s.vus },
  watch: watcher(s),
}, {
  ledger_lag: [`p(99)<${LAG_MS_MAX}`],
});

export function setup() {
  return open(s, 'soak', s.locations);
}

export function buyer(sale) {
  checkout(s, sale, `${sale.run}-${exec.scenario.iterationInTest}`);
}

export function watch(sale) {
  look(s, sale);
}

export function teardown(sale) {
  finalCheck(s, sale);
}

export function handleSummary(data) {
  return summary(s, 'soak', data);
}
