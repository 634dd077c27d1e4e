// The calls of a buyer, and the metrics that count them.
import { Counter, Trend } from 'k6/metrics';
import { call, failed } from './call.js';

// By outcome: accepted, refused, replayed. Accepted and refused are never added up.
export const reserves = new Counter('reserves');
export const reserveDuration = new Trend('reserve_duration', true);
const stepDuration = new Trend('step_duration', true); // by step: confirm, release, fulfill, move, amend, unfulfill

// The books: for each state, the reservations that buyers left in it minus those that the final check
// finds in it. Each must end at 0.
export const books = new Counter('books');

// reservation returns the body of a reserve.
export function reservation(s, sale, id, lines, ttl_seconds) {
  const body = { id, order: sale.run, ttl_seconds: ttl_seconds || s.ttl_seconds, lines };
  if (s.channel) {
    body.channel = s.channel;
  }
  if (s.not_after_seconds) {
    body.not_after = new Date(Date.now() + 1000 * s.not_after_seconds).toISOString();
  }
  return body;
}

// reserve returns the reservation, or null if the call was refused or failed.
export function reserve(s, sale, id, lines, ttl_seconds) {
  let a = call(s, 'POST', '/v1/reservations', reservation(s, sale, id, lines, ttl_seconds), 'reserve');
  const late = isLate(a);
  if (late && a.tries > 1) { // an earlier try may have taken the units
    a = Object.assign(call(s, 'GET', `/v1/reservations/${id}`, undefined, 'reservation'), { tries: a.tries, ms: a.ms });
  }
  if (a.status === 201 || (a.status === 200 && a.tries > 1)) {
    note('accepted', a);
    return a.body;
  }
  if (isRefusal(a) || (late && (a.status === 409 || a.status === 404))) {
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

// isRefusal reports whether a is a consistent refusal for lack of stock: it names a short line, and each
// short line has fewer units than were asked for.
export function isRefusal(a) {
  return a.status === 409 && a.body !== null && a.body.code === 'insufficient_stock' && a.body.shortages.length > 0 &&
    a.body.shortages.every((short) => short.available >= 0 && short.available < short.requested);
}

// isLate reports whether a call came after its not_after.
function isLate(a) {
  return a.status === 409 && a.body !== null && a.body.code === 'expired_request';
}

// step confirms, releases or fulfills a reservation, and returns the reservation as it is then.
export function step(s, r, verb) {
  const a = call(s, 'POST', `/v1/reservations/${r.id}/${verb}`, undefined, verb);
  if (a.status !== 200) {
    failed(`${verb} ${r.id}`, a);
    return r;
  }
  noteStep(verb, a);
  return a.body;
}

// stepOnce makes a step with an operation's id twice: the second call must change nothing. It returns
// the reservation as it is then. A move or an amend may be refused for lack of
// units.
export function stepOnce(s, r, verb, body) {
  const a = call(s, 'POST', `/v1/reservations/${r.id}/${verb}`, body, verb);
  if ((verb === 'move' || verb === 'amend') && isRefusal(a)) {
    return r;
  }
  if (a.status !== 200) {
    failed(`${verb} ${r.id}`, a);
    return r;
  }
  noteStep(verb, a);
  const again = call(s, 'POST', `/v1/reservations/${r.id}/${verb}`, body, verb);
  if (again.status !== 200 || !again.replay || again.body.version !== a.body.version) {
    failed(`${verb} ${r.id} again`, again);
  }
  return a.body;
}

export function noteStep(step, a) {
  stepDuration.add(a.ms, { step });
}

// close records in the books the state in which a buyer leaves a reservation.
export function close(state) {
  books.add(1, { state });
}
