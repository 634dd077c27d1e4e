// The final check: the units put on sale, the levels and the reservations must agree. This file does
// not use k6, so that it can be tested without it.

export const states = ['held', 'confirmed', 'released', 'expired', 'fulfilled'];

// levelName returns the name of a level in faults.
export function levelName(sku, location) {
  return `${sku} at ${location}`;
}

// tally begins a check. Reservations are added page by page, since a long run has more of them than
// memory should hold.
export function tally() {
  return { faults: [], found: Object.fromEntries(states.map((state) => [state, 0])), out: {}, ids: new Set() };
}

// add counts a page of reservations: how many by state, and their units by level.
export function add(t, reservations) {
  const before = t.ids;
  t.ids = new Set();
  for (const r of reservations) {
    if (before.has(r.id) || t.ids.has(r.id)) {
      t.faults.push(`reservation ${r.id} is listed twice`);
      continue;
    }
    t.ids.add(r.id);
    if (!(r.state in t.found)) {
      t.faults.push(`reservation ${r.id} is ${r.state}, which is no state`);
      continue;
    }
    t.found[r.state]++;
    for (const line of r.lines) {
      take(line, r, t);
    }
  }
}

const column = { held: 'held', confirmed: 'committed', fulfilled: 'gone' };

// take counts the units of a line; those of a released or expired reservation are for sale again.
function take(line, r, t) {
  const units = line.from.reduce((sum, part) => sum + part.quantity, 0);
  if (units !== line.quantity) {
    t.faults.push(`reservation ${r.id}, line ${line.line}: ${line.quantity} units, but ${units} from its locations`);
  }
  const into = column[r.state];
  if (!into) {
    return;
  }
  for (const part of line.from) {
    const name = levelName(line.sku, part.location);
    t.out[name] = t.out[name] || { held: 0, committed: 0, gone: 0 };
    t.out[name][into] += part.quantity;
  }
}

// weigh ends a check: it compares each level with its reservations and returns the number of oversold
// units. It adds each difference to t.faults.
export function weigh(t, put, levels) {
  const { faults, out } = t;
  let oversold = 0;
  const missing = Object.assign({}, put);
  for (const level of levels) {
    const name = levelName(level.sku, level.location);
    if (!missing[name]) {
      faults.push(`${name}: the level was not put up, or is listed twice`);
      continue;
    }
    delete missing[name];
    const units = put[name].on_hand;
    const o = out[name] || { held: 0, committed: 0, gone: 0 };
    delete out[name];
    const taken = o.held + o.committed + o.gone;
    if (taken > units) {
      oversold += taken - units;
      faults.push(`${name}: ${taken} units are held or sold, of ${units}`);
    }
    const want = { on_hand: units - o.gone, held: o.held, committed: o.committed, available: units - taken };
    for (const [number, value] of Object.entries(want)) {
      if (level[number] !== value) {
        faults.push(`${name}: ${number} is ${level[number]}, its reservations say ${value}`);
      }
    }
  }
  for (const name of Object.keys(missing)) {
    faults.push(`${name}: the level is gone`);
  }
  for (const name of Object.keys(out)) {
    faults.push(`${name}: units were taken from a level that was not put up`);
  }
  return oversold;
}
