// After the sale: the last units go at once, and everybody goes on trying. It measures how fast and how
// exactly they are refused.
import exec from 'k6/execution';
import { close, reserve } from './lib/buyer.js';
import { finalCheck } from './lib/final.js';
import { options as optionsOf, summary } from './lib/report.js';
import { open, sku } from './lib/sale.js';
import { settings } from './lib/settings.js';
import { look, watcher } from './lib/watch.js';

const s = settings({ rate: 400, duration: '15s', units: 10 });

export const options = optionsOf(s, {
  buyers: { executor: 'constant-arrival-rate', exec: 'buyer', rate: s.rate, duration: `${s.seconds}s`, preAllocatedVUs: s.vus },
  watch: watcher(s),
}, {
  'reserves{outcome:accepted}': [`count==${s.units}`],
  'reserves{outcome:refused}': ['count>0'],
});

export function setup() {
  return open(s, 'sold_out_storm', s.locations.slice(0, 1));
}

export function buyer(sale) {
  const id = `${sale.run}-${exec.scenario.iterationInTest}`;
  const r = reserve(s, sale, id, [{ line: '1', sku: sku(sale.run, 0), quantity: 1 }]);
  if (r !== null) {
    close(r.state);
  }
}

export function watch(sale) {
  look(s, sale);
}

export function teardown(sale) {
  finalCheck(s, sale);
}

export function handleSummary(data) {
  return summary(s, 'sold_out_storm', data);
}
