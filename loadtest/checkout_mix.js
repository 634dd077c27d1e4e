// An ordinary day: carts of several lines over many SKUs at two locations. Each is reserved, then paid,
// released, or abandoned until it expires.
import exec from 'k6/execution';
import { checkout } from './lib/checkout.js';
import { finalCheck } from './lib/final.js';
import { options as optionsOf, summary } from './lib/report.js';
import { open } from './lib/sale.js';
import { settings } from './lib/settings.js';
import { look, watcher } from './lib/watch.js';

const s = settings({ rate: 60, duration: '20s', units: 30, skus: 200, buyer_seconds: 2 });

export const options = optionsOf(s, {
  buyers: { executor: 'constant-arrival-rate', exec: 'buyer', rate: s.rate, duration: `${s.seconds}s`, preAllocatedVUs: s.vus },
  watch: watcher(s),
});

export function setup() {
  return open(s, 'checkout_mix', s.locations);
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
  return summary(s, 'checkout_mix', data);
}
