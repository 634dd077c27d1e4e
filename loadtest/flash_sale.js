// A flash sale: more buyers than units of one SKU. They come faster and faster and do not wait for each
// other. Nine of ten buyers who get a unit pay at once; the others let it expire.
import exec from 'k6/execution';
import { close, reserve, step } from './lib/buyer.js';
import { finalCheck } from './lib/final.js';
import { options as optionsOf, summary } from './lib/report.js';
import { open, sku } from './lib/sale.js';
import { settings } from './lib/settings.js';
import { look, watcher } from './lib/watch.js';

const s = settings({ rate: 300, duration: '20s', units: 1200, buyer_seconds: 2 });
const PAYS = 0.9;

// The phases: doors open, the rush, the rest. Each has its share of the time, and the shares of the rate at
// its beginning and end.
const shape = [[0.15, 0.05, 1], [0.35, 1, 1], [0.5, 1, 0.1]];
const buyers = Math.floor(shape.reduce((n, [time, from, to]) => n + time * s.seconds * s.rate * (from + to) / 2, 0));
if (s.units >= buyers) {
  throw new Error(`${s.units} units are enough for all of about ${buyers} buyers: lower --units, or raise --rate or --duration`);
}

export const options = optionsOf(s, {
  buyers: {
    executor: 'ramping-arrival-rate',
    exec: 'buyer',
    startRate: Math.ceil(shape[0][1] * s.rate),
    stages: shape.map(([time, , to]) => ({ duration: `${Math.round(1000 * time * s.seconds)}ms`, target: Math.ceil(to * s.rate) })),
    preAllocatedVUs: s.vus,
  },
  watch: watcher(s),
}, {
  // Exactly all units are sold: none twice, and none is left although buyers were refused.
  'reserves{outcome:accepted}': [`count==${s.units}`],
  'reserves{outcome:refused}': ['count>0'],
});

export function setup() {
  return open(s, 'flash_sale', s.locations.slice(0, 1));
}

export function buyer(sale) {
  const id = `${sale.run}-${exec.scenario.iterationInTest}`;
  let r = reserve(s, sale, id, [{ line: '1', sku: sku(sale.run, 0), quantity: 1 }]);
  if (r === null) {
    return;
  }
  if (Math.random() < PAYS) {
    r = step(s, r, 'confirm');
  }
  close(r.state);
}

export function watch(sale) {
  look(s, sale);
}

export function teardown(sale) {
  finalCheck(s, sale);
}

export function handleSummary(data) {
  return summary(s, 'flash_sale', data);
}
