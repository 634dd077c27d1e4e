// Reads, once a second, the numbers that the plots show beside the buyers: the available units of the first
// SKU, and some metrics of the server.
import http from 'k6/http';
import { Gauge, Trend } from 'k6/metrics';
import { authorization } from './call.js';
import { sku } from './sale.js';

const left = new Gauge('available_units');
const lag = new Trend('ledger_lag', true);
const waiting = new Gauge('ledger_waiting_entries');
const memory = new Gauge('server_memory_bytes');

const anyStatus = http.expectedStatuses({ min: 100, max: 599 });

// watcher is the executor that calls a script's watch.
export function watcher(s) {
  return { executor: 'constant-arrival-rate', exec: 'watch', rate: 1, duration: `${s.seconds}s`, preAllocatedVUs: 10 };
}

export function look(s, sale) {
  const get = (path, name) => http.get(s.url + path, { headers: authorization(s), tags: { name }, responseCallback: anyStatus });
  const stock = get(`/v1/stock/${sku(sale.run, 0)}`, 'stock');
  if (stock.status === 200) {
    left.add(stock.json().levels.reduce((sum, level) => sum + level.available, 0));
  }
  const metrics = get('/metrics', 'metrics');
  if (metrics.status !== 200) {
    return; // the server does not show its metrics here
  }
  const value = (name) => Number((metrics.body.match(new RegExp(`^${name} (.*)$`, 'm')) || [])[1]);
  memory.add(value('process_resident_memory_bytes') || 0);
  if (value('holdfast_ledger_working') === 1) { // otherwise another process reconciles, and its metrics count
    lag.add(1000 * value('holdfast_ledger_lag_seconds'));
    waiting.add(value('holdfast_ledger_waiting_entries'));
  }
}
