// Clients that lost an answer: each id is sent several times, the first two at the same moment. One call
// takes the unit, and all get the same answer. Each confirm is sent twice and gets the same answer, too.
import exec from 'k6/execution';
import http from 'k6/http';
import { answer, call, failed, lost, repeated, request } from './lib/call.js';
import { close, isRefusal, note, noteStep, reservation } from './lib/buyer.js';
import { finalCheck } from './lib/final.js';
import { options as optionsOf, summary } from './lib/report.js';
import { open, sku } from './lib/sale.js';
import { settings } from './lib/settings.js';
import { look, watcher } from './lib/watch.js';

const PATH = '/v1/reservations';
const s = settings({ rate: 50, duration: '15s', units: 500 });

export const options = optionsOf(s, {
  buyers: { executor: 'constant-arrival-rate', exec: 'buyer', rate: s.rate, duration: `${s.seconds}s`, preAllocatedVUs: s.vus },
  watch: watcher(s),
});

export function setup() {
  return open(s, 'retries', s.locations.slice(0, 1));
}

export function buyer(sale) {
  const id = `${sale.run}-${exec.scenario.iterationInTest}`;
  const body = reservation(s, sale, id, [{ line: '1', sku: sku(sale.run, 0), quantity: 1 }]);
  const twice = [request(s, 'POST', PATH, body, 'reserve'), request(s, 'POST', PATH, body, 'reserve')];
  const first = http.batch(twice).map(answer);
  const answers = first.filter((a) => !lost(a));
  repeated.add(first.length - answers.length);
  while (answers.length < s.tries) {
    answers.push(call(s, 'POST', PATH, body, 'reserve'));
  }
  if (answers[0].status === 409) {
    refusedAlike(id, answers);
  } else {
    takenOnce(id, answers, first.some(lost));
    close(confirmTwice(sale, id));
  }
}

function refusedAlike(id, answers) {
  answers.forEach((a, i) => {
    if (isRefusal(a) && a.text === answers[0].text) {
      note(i === 0 ? 'refused' : 'replayed', a);
    } else {
      failed(`reserve ${id}, refused before`, a);
    }
  });
}

// takenOnce checks that one answer is 201 and all others are replays with the same bytes. If an answer was
// lost, it may have been the 201.
function takenOnce(id, answers, oneLost) {
  const taken = answers.find((a) => a.status === 201);
  if (!taken && !oneLost) {
    failed(`reserve ${id}, and no answer is 201`, answers[0]);
    return;
  }
  note('accepted', taken || answers[0]);
  for (const a of answers.filter((other) => other !== (taken || answers[0]))) {
    if (a.status === 200 && a.replay && a.text === answers[0].text) {
      note('replayed', a);
    } else {
      failed(`reserve ${id}, not answered as before`, a);
    }
  }
}

// confirmTwice confirms twice and returns the state of the reservation.
function confirmTwice(sale, id) {
  const confirm = () => call(s, 'POST', `${PATH}/${id}/confirm`, undefined, 'confirm');
  const [first, again] = [confirm(), confirm()];
  if (first.status !== 200 || again.status !== 200 || first.text !== again.text) {
    failed(`confirm ${id}, not answered as before`, again);
  }
  if (first.status !== 200) {
    return 'held';
  }
  noteStep('confirm', first);
  return first.body.state;
}

export function watch(sale) {
  look(s, sale);
}

export function teardown(sale) {
  finalCheck(s, sale);
}

export function handleSummary(data) {
  return summary(s, 'retries', data);
}
