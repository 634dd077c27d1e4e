// The tests of lib/books.js and lib/report.js, which the Go test puts in front: a good sale, and each way in
// which a sale can be wrong.
const put = () => ({ 'A at x': { on_hand: 5 }, 'B at x': { on_hand: 2 } });
const level = (sku, on_hand, held, committed, available) => ({ sku, location: 'x', on_hand, held, committed, available });
const reservation = (id, state, sku, quantity) =>
  ({ id, state, lines: [{ line: '1', sku, quantity, from: [{ location: 'x', quantity }] }] });
const levels = () => [level('A', 4, 1, 2, 1), level('B', 2, 0, 0, 2)];
const reservations = () => [
  reservation('1', 'held', 'A', 1), reservation('2', 'confirmed', 'A', 2), reservation('3', 'fulfilled', 'A', 1),
  reservation('4', 'released', 'B', 2), reservation('5', 'expired', 'B', 1),
];

let wrong = 0;
function expect(name, got, want) {
  if (JSON.stringify(got) !== JSON.stringify(want)) {
    wrong++;
    console.log(`${name}: ${JSON.stringify(got)}, want ${JSON.stringify(want)}`);
  }
}

// off checks a sale after change has spoilt it.
function off(name, change, faults, oversold) {
  const sale = { put: put(), levels: levels(), reservations: reservations() };
  change(sale);
  const t = tally();
  add(t, sale.reservations.slice(0, 3));
  add(t, sale.reservations.slice(3));
  const units = weigh(t, sale.put, sale.levels);
  expect(name, [t.faults, units], [faults, oversold || 0]);
}

const counted = tally();
add(counted, reservations());
expect('found', counted.found,
  { held: 1, confirmed: 1, released: 1, expired: 1, fulfilled: 1 });
off('good', () => {}, []);
off('sold twice', (s) => { s.reservations.push(reservation('6', 'confirmed', 'B', 3)); s.levels[1] = level('B', 2, 0, 3, -1); },
  ['B at x: 3 units are held or sold, of 2'], 1);
off('a unit too many', (s) => { s.levels[1].available = 3; }, ['B at x: available is 3, its reservations say 2']);
off('lost hold', (s) => { s.reservations.shift(); },
  ['A at x: held is 1, its reservations say 0', 'A at x: available is 1, its reservations say 2']);
off('released and kept', (s) => { s.levels[1].held = 2; s.levels[1].available = 0; },
  ['B at x: held is 2, its reservations say 0', 'B at x: available is 0, its reservations say 2']);
off('not gone', (s) => { s.levels[0].on_hand = 5; }, ['A at x: on_hand is 5, its reservations say 4']);
off('not confirmed', (s) => { s.levels[0].committed = 0; }, ['A at x: committed is 0, its reservations say 2']);
off('listed twice', (s) => { s.reservations.push(s.reservations[0]); }, ['reservation 1 is listed twice']);
off('listed twice in a page', (s) => { s.reservations.splice(1, 0, s.reservations[0]); }, ['reservation 1 is listed twice']);
off('short line', (s) => { s.reservations[0].lines[0].quantity = 2; }, ['reservation 1, line 1: 2 units, but 1 from its locations']);
off('odd state', (s) => { s.reservations[3].state = 'gone'; }, ['reservation 4 is gone, which is no state']);
off('no level', (s) => { s.levels.pop(); }, ['B at x: the level is gone']);
off('level of others', (s) => { s.levels.push(level('C', 1, 0, 0, 1)); }, ['C at x: the level was not put up, or is listed twice']);

const metrics = (...broken) => Object.fromEntries(['dropped_iterations', 'oversold_units', 'books{state:held}', 'reserve_duration']
  .map((name) => [name, { thresholds: { 'count==0': { ok: !broken.includes(name) } } }]));
expect('passed', verdict(metrics()).word, 'passed');
expect('void', verdict(metrics('dropped_iterations', 'reserve_duration')).word, 'void');
expect('slow', verdict(metrics('reserve_duration')).word, 'failed');
expect('oversold and void', verdict(metrics('dropped_iterations', 'oversold_units')).word, 'failed');
expect('lost and void', verdict(metrics('dropped_iterations', 'books{state:held}')).word, 'failed');
process.exit(wrong);
