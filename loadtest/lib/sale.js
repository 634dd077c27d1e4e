// A sale: the SKUs of one run and their units. The SKUs contain the name of the run, so they are new on any
// server.
import { levelName } from './books.js';
import { call, said } from './call.js';

const COUNTS_MAX = 500; // levels in one call

// open puts the units of each SKU on sale, spread evenly over the locations.
export function open(s, scenario, locations) {
  const ready = call(s, 'GET', '/readyz', undefined, 'readyz');
  if (ready.status !== 200) {
    throw new Error(`${s.url} is not ready: ${said(ready)}: start a Holdfast there, or name another with --url`);
  }
  const run = `load-${scenario}-${Date.now().toString(36)}`;
  const sale = { run, skus: s.skus, units: s.units, locations };
  const counts = Object.values(levels(sale));
  for (let i = 0; i < counts.length; i += COUNTS_MAX) {
    const body = { id: `${run}-open-${i}`, reason: 'load test', counts: counts.slice(i, i + COUNTS_MAX) };
    const a = call(s, 'POST', '/v1/stock/counts', body, 'counts');
    if (a.status >= 300 || a.status === 0) {
      throw new Error(`the counts of ${run} were refused: ${said(a)}`);
    }
  }
  tryRoute(s, sale);
  return sale;
}

// tryRoute checks that buyers can be served, without taking units. A server with a routing directory serves
// only from the locations and channels in it.
function tryRoute(s, sale) {
  const body = { lines: [{ line: '1', sku: sku(sale.run, 0), quantity: 1 }] };
  if (s.channel) {
    body.channel = s.channel;
  }
  const a = call(s, 'POST', '/v1/route', body, 'route');
  if (a.status !== 200 || a.body.lines[0].candidates.length === 0) {
    throw new Error(`no buyer can be served: ${said(a)}: name locations and a channel of the routing directory, with --locations and --channel`);
  }
}

export function sku(run, i) {
  return `${run}-${i}`;
}

// levels returns the counts that were put on sale, by level.
export function levels(sale) {
  const put = {};
  const places = sale.locations.length;
  for (let i = 0; i < sale.skus; i++) {
    for (let j = 0; j < places; j++) {
      const level = { sku: sku(sale.run, i), location: sale.locations[j], on_hand: Math.floor((sale.units + j) / places) };
      put[levelName(level.sku, level.location)] = level;
    }
  }
  return put;
}
