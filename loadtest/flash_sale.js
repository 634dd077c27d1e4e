// A flash sale: buyers of one SKU come faster and faster, more of them than there are units, and do
// not wait for each other. Who gets a unit pays at once, but for one in ten, who lets it lie.
import exec from 'k6/execution';
import http from 'k6/http';
import { Gauge } from 'k6/metrics';
import { close, reserve, step } from './lib/buyer.js';
import { finalCheck } from './lib/final.js';
import { options as optionsOf, summary } from './lib/report.js';
import { open, sku } from './lib/sale.js';
import { settings } from './lib/settings.js';

const s = settings({ rate: 800, duration: '20s', units: 3000, buyer_seconds: 1 });
const PAYS = 0.9;
const location = s.locations[0];

// The shares of time and of the rate: doors open, the rush, the rest.
const shape = [[0.15, 1], [0.35, 1], [0.5, 0.1]];
const buyers = s.rate * s.seconds * (0.15 * 0.525 + 0.35 + 0.5 * 0.55);
if (s.units >= buyers) {
  throw new Error(`${s.units} units for about ${Math.floor(buyers)} buyers are no flash sale: lower --units, or raise --rate or --duration`);
}

export const options = optionsOf(s, {
  buyers: {
    executor: 'ramping-arrival-rate',
    exec: 'buyer',
    startRate: Math.ceil(s.rate * 0.05),
    stages: shape.map(([time, rate]) => ({ duration: `${Math.round(time * s.seconds * 1000)}ms`, target: Math.ceil(rate * s.rate) })),
    preAllocatedVUs: s.vus,
  },
  shelf: { executor: 'constant-arrival-rate', exec: 'shelf', rate: 2, duration: `${s.seconds}s`, preAllocatedVUs: 5 },
}, {
  // Sold out to the last unit: nothing oversold, and nothing left for those who were refused.
  'reserves{outcome:accepted}': [`count==${s.units}`],
  'reserves{outcome:refused}': ['count>0'],
});

export function setup() {
  return open(s, 'flash_sale', [location]);
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

// shelf looks at what is left, for the picture.
const left = new Gauge('available_units');

export function shelf(sale) {
  const res = http.get(`${s.url}/v1/stock/${sku(sale.run, 0)}`, { tags: { name: 'stock' } });
  if (res.status === 200) {
    left.add(res.json().levels[0].available);
  }
}

export function teardown(sale) {
  finalCheck(s, sale);
}

export function handleSummary(data) {
  return summary(s, 'flash_sale', data);
}
