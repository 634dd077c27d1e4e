// What a buyer does, and what is counted of it.
import { Counter, Trend } from 'k6/metrics';
import { call, failed } from './call.js';

// By outcome: accepted, refused, replayed. Accepted and refused are never added up.
export const reserves = new Counter('reserves');
export const reserveDuration = new Trend('reserve_duration', true);
const stepDuration = new Trend('step_duration', true); // by step: confirm, release, fulfill

// The books: by state, the reservations that buyers say there are, less those that the final check
// finds. All of them end at 0.
export const books = new Counter('books');

// reservation is the body of a reserve.
export function reservation(s, sale, id, lines, ttl_seconds) {
  const body = { id, order: sale.run, ttl_seconds: ttl_seconds || s.ttl_seconds, lines };
  if (s.channel) {
    body.channel = s.channel;
  }
  return body;
}

// reserve answers the reservation, or null where it was refused or failed.
export function reserve(s, sale, id, lines, ttl_seconds) {
  const a = call(s, 'POST', '/v1/reservations', reservation(s, sale, id, lines, ttl_seconds), 'reserve');
  if (a.status === 201 || (a.status === 200 && a.tries > 1)) {
    note('accepted', a);
    return a.body;
  }
  if (isRefusal(a)) {
    note('refused', a);
  } else {
    failed(`reserve ${id}`, a);
  }
  return null;
}

export function note(outcome, a) {
  reserves.add(1, { outcome });
  reserveDuration.add(a.ms, { outcome });
}

// isRefusal says whether a is a refusal for want of stock that is true to itself: it names what is
// short, and by how much.
export function isRefusal(a) {
  return a.status === 409 && a.body !== null && a.body.code === 'insufficient_stock' && a.body.shortages.length > 0 &&
    a.body.shortages.every((short) => short.available >= 0 && short.available < short.requested);
}

// step takes a reservation on: confirm, release or fulfill. It answers the state it is in now.
export function step(s, r, verb) {
  const a = call(s, 'POST', `/v1/reservations/${r.id}/${verb}`, undefined, verb);
  if (a.status !== 200) {
    failed(`${verb} ${r.id}`, a);
    return r;
  }
  noteStep(verb, a);
  return a.body;
}

export function noteStep(step, a) {
  stepDuration.add(a.ms, { step });
}

// close enters a reservation into the books, in the state in which its buyer leaves it.
export function close(state) {
  books.add(1, { state });
}
