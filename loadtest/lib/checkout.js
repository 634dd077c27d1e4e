// A usual checkout: a buyer reserves a cart, thinks for a moment, then pays, cancels or goes away.
import { sleep } from 'k6';
import { close, reserve, step } from './buyer.js';
import { sku } from './sale.js';

const LINES_MAX = 4;
const QUANTITY_MAX = 3;
const THINK_SECONDS_MAX = 1;
const ABANDONED_TTL_SECONDS = THINK_SECONDS_MAX + 2;

// How a checkout can end. The shares add up to 1.
const ends = [
  { share: 0.45, steps: ['confirm'] },
  { share: 0.2, steps: ['confirm', 'fulfill'] },
  { share: 0.05, steps: ['confirm', 'release'] },
  { share: 0.15, steps: ['release'] },
  { share: 0.15, steps: [], ttl_seconds: ABANDONED_TTL_SECONDS },
];

// checkout plays one buyer.
export function checkout(s, sale, id) {
  const end = draw();
  let r = reserve(s, sale, id, cart(sale), end.ttl_seconds);
  if (r === null) {
    return;
  }
  for (const verb of end.steps) {
    sleep((Math.random() * THINK_SECONDS_MAX) / end.steps.length);
    r = step(s, r, verb);
  }
  close(end.ttl_seconds ? 'expired' : r.state);
}

function draw() {
  let at = Math.random();
  return ends.find((end) => (at -= end.share) < 0) || ends[0];
}

// cart returns 1 to LINES_MAX lines of different SKUs.
function cart(sale) {
  const count = Math.min(1 + Math.floor(Math.random() * LINES_MAX), sale.skus);
  const first = Math.floor(Math.random() * sale.skus);
  const lines = [];
  for (let i = 0; i < count; i++) {
    lines.push({
      line: String(i + 1),
      sku: sku(sale.run, (first + i * 7) % sale.skus),
      quantity: 1 + Math.floor(Math.random() * QUANTITY_MAX),
    });
  }
  return lines;
}
