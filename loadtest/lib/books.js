// The final check: what was put up, what the levels say, and what the reservations say must agree.
// Nothing here knows of k6, so that it can be tested without it.

export const states = ['held', 'confirmed', 'released', 'expired', 'fulfilled'];

// levelName is what a level is called here.
export function levelName(sku, location) {
  return `${sku} at ${location}`;
}

// compare answers {faults, oversold_units, found}: found counts the reservations by state.
export function compare(put, levels, reservations) {
  const faults = [];
  const found = Object.fromEntries(states.map((state) => [state, 0]));
  const out = {}; // units by level: held, committed, and gone with fulfilled ones
  const known = new Set();
  for (const r of reservations) {
    if (known.has(r.id)) {
      faults.push(`reservation ${r.id} is listed twice`);
      continue;
    }
    known.add(r.id);
    if (!(r.state in found)) {
      faults.push(`reservation ${r.id} is ${r.state}, which is no state`);
      continue;
    }
    found[r.state]++;
    for (const line of r.lines) {
      take(line, r, out, faults);
    }
  }
  const oversold_units = weigh(put, levels, out, faults);
  return { faults, oversold_units, found };
}

const column = { held: 'held', confirmed: 'committed', fulfilled: 'gone' };

// take counts the units of a line; those of a released or expired reservation are for sale again.
function take(line, r, out, faults) {
  const units = line.from.reduce((sum, part) => sum + part.quantity, 0);
  if (units !== line.quantity) {
    faults.push(`reservation ${r.id}, line ${line.line}: ${line.quantity} units, but ${units} from its locations`);
  }
  const into = column[r.state];
  if (!into) {
    return;
  }
  for (const part of line.from) {
    const name = levelName(line.sku, part.location);
    out[name] = out[name] || { held: 0, committed: 0, gone: 0 };
    out[name][into] += part.quantity;
  }
}

// weigh compares each level with its reservations, and answers how many units were oversold.
function weigh(put, levels, out, faults) {
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
