// A usual checkout: a buyer reserves a cart, thinks for a moment, then pays, cancels or goes away.
import { sleep } from 'k6';
import { close, reserve, step, stepOnce } from './buyer.js';
import { sku } from './sale.js';

const LINES_MAX = 4;
const QUANTITY_MAX = 3;
const THINK_SECONDS_MAX = 1;
const ABANDONED_TTL_SECONDS = THINK_SECONDS_MAX + 2;

// How a checkout can end. The shares add up to 1.
const ends = [
  { share: 0.3, steps: ['confirm'] },
  { share: 0.15, steps: ['confirm', 'fulfill'] },
  { share: 0.05, steps: ['less', 'confirm'] },
  { share: 0.05, steps: ['confirm', 'more'] },
  { share: 0.05, steps: ['confirm', 'elsewhere', 'fulfill'] },
  { share: 0.05, steps: ['confirm', 'fulfill', 'unship', 'elsewhere', 'fulfill'] },
  { share: 0.05, steps: ['confirm', 'release'] },
  { share: 0.15, steps: ['release'] },
  { share: 0.15, steps: [], ttl_seconds: ABANDONED_TTL_SECONDS },
];

// Steps with an operation's id: of a verb, with a body. Without a body the step does not apply.
const changes = {
  less: { verb: 'release', body: (r) => firstLine(r, (l) => l.quantity > 1 && { lines: [{ line: l.line, quantity: 1 }] }) },
  more: { verb: 'amend', body: (r) => firstLine(r, (l) => ({ lines: [{ line: l.line, quantity: l.quantity + 1 }] })) },
  elsewhere: { verb: 'move', body: (r, sale) => firstLine(r, (l) => ({ line: l.line, to: other(sale, l.from[0].location) })) },
  unship: { verb: 'unfulfill', body: (r) => ({ lines: r.lines.map((l) => ({ line: l.line, quantity: l.fulfilled })) }) },
};

// checkout plays one buyer.
export function checkout(s, sale, id) {
  const end = draw();
  let r = reserve(s, sale, id, cart(sale), end.ttl_seconds);
  if (r === null) {
    return;
  }
  for (const verb of end.steps) {
    sleep((Math.random() * THINK_SECONDS_MAX) / end.steps.length);
    r = changes[verb] ? change(s, sale, r, verb) : step(s, r, verb);
  }
  close(end.ttl_seconds ? 'expired' : r.state);
}

// change makes a step of changes, and repeats it, as a queue may.
function change(s, sale, r, name) {
  const { verb, body } = changes[name];
  const asked = body(r, sale);
  return asked ? stepOnce(s, r, verb, Object.assign({ id: `${r.id}-${name}` }, asked)) : r;
}

// firstLine returns what of returns for the first line with units, or undefined.
function firstLine(r, of) {
  const line = r.lines.find((l) => l.quantity > 0);
  return line && of(line);
}

// other returns another location of the sale, if there is one.
function other(sale, location) {
  return sale.locations.find((l) => l !== location) || location;
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
