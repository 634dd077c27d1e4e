// Clients that lost the answer: each id is sent several times, the first two at the same moment. One
// of them takes the unit, all get the same answer, and so does a confirm that is repeated.
import exec from 'k6/execution';
import http from 'k6/http';
import { answer, call, failed, request } from './lib/call.js';
import { close, isRefusal, note, reservation } from './lib/buyer.js';
import { finalCheck } from './lib/final.js';
import { options as optionsOf, summary } from './lib/report.js';
import { open, sku } from './lib/sale.js';
import { settings } from './lib/settings.js';

const PATH = '/v1/reservations';
const s = settings({ rate: 150, duration: '15s', units: 1500 });

export const options = optionsOf(s, {
  buyers: { executor: 'constant-arrival-rate', rate: s.rate, duration: `${s.seconds}s`, preAllocatedVUs: s.vus },
});

export function setup() {
  return open(s, 'retries', s.locations.slice(0, 1));
}

export default function (sale) {
  const id = `${sale.run}-${exec.scenario.iterationInTest}`;
  const body = reservation(s, sale, id, [{ line: '1', sku: sku(sale.run, 0), quantity: 1 }]);
  const twice = [request(s, 'POST', PATH, body, 'reserve'), request(s, 'POST', PATH, body, 'reserve')];
  const answers = http.batch(twice).map(answer);
  while (answers.length < s.tries) {
    answers.push(call(s, 'POST', PATH, body, 'reserve'));
  }
  const first = answers.find((a) => a.status === 201) || answers[0];
  if (first.status !== 201) {
    refusedAlike(id, answers);
    return;
  }
  note('accepted', first);
  for (const a of answers.filter((other) => other !== first)) {
    same(`reserve ${id}`, a, first);
  }
  close(confirmTwice(sale, id));
}

function refusedAlike(id, answers) {
  answers.forEach((a, i) => {
    if (isRefusal(a) && JSON.stringify(a.body) === JSON.stringify(answers[0].body)) {
      note(i === 0 ? 'refused' : 'replayed', a);
    } else {
      failed(`reserve ${id}: refused before`, a);
    }
  });
}

// same counts a as a replay where it answers what first did, and marks it as one.
function same(what, a, first) {
  if (a.status === 200 && a.replay && JSON.stringify(a.body) === JSON.stringify(first.body)) {
    note('replayed', a);
  } else {
    failed(`${what}: not the same answer`, a);
  }
}

// confirmTwice answers the state that the reservation is in.
function confirmTwice(sale, id) {
  const confirm = () => call(s, 'POST', `${PATH}/${id}/confirm`, undefined, 'confirm');
  const [first, again] = [confirm(), confirm()];
  if (first.status !== 200 || again.status !== 200 || JSON.stringify(first.body) !== JSON.stringify(again.body)) {
    failed(`confirm ${id}: not the same answer`, again);
    return first.status === 200 ? first.body.state : 'held';
  }
  return first.body.state;
}

export function teardown(sale) {
  finalCheck(s, sale);
}

export function handleSummary(data) {
  return summary(s, 'retries', data);
}
