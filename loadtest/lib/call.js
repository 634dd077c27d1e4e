// One call of the API, repeated until it is answered, as a client should: an id makes that safe.
import http from 'k6/http';
import { sleep } from 'k6';
import { Counter } from 'k6/metrics';

const TRIES_MAX = 5;
const TIMEOUT = '15s';
const FAILURES_LOGGED_MAX = 3; // by each VU

const repeated = new Counter('repeated'); // calls sent again: no answer, or a 5xx
const failures = new Counter('failures'); // what was answered neither with success nor with a refusal

// A refusal is an answer: 409 is not a failure of the server.
const answers = http.expectedStatuses({ min: 200, max: 299 }, 409);

let logged = 0;

// request is what http.batch and call send. name groups requests of one kind whose paths differ.
export function request(s, method, path, body, name) {
  return {
    method,
    url: s.url + path,
    body: body === undefined ? null : JSON.stringify(body),
    params: {
      headers: { 'Content-Type': 'application/json' },
      tags: { name },
      responseCallback: answers,
      timeout: TIMEOUT,
    },
  };
}

// call answers {status, body, replay, ms, tries}: status 0 where there was no answer at all. ms is
// the time from the first try to the answer.
export function call(s, method, path, body, name) {
  const r = request(s, method, path, body, name);
  const began = Date.now();
  for (let tries = 1; ; tries++) {
    const res = http.request(r.method, r.url, r.body, r.params);
    if ((res.status > 0 && res.status < 500) || tries === TRIES_MAX) {
      return Object.assign(answer(res), { tries, ms: tries === 1 ? res.timings.duration : Date.now() - began });
    }
    repeated.add(1, { name });
    sleep(0.1 * 2 ** tries);
  }
}

// answer reads a response.
export function answer(res) {
  let body = null;
  try {
    body = res.json();
  } catch (_) {
    // no JSON: whoever wants a body fails by its absence
  }
  return { status: res.status, body, replay: res.headers['Idempotent-Replay'] === 'true', ms: res.timings.duration, tries: 1 };
}

// failed counts an answer that nobody should get, and shows the first ones.
export function failed(what, a) {
  failures.add(1);
  if (logged++ < FAILURES_LOGGED_MAX) {
    console.error(`${what}: ${a.status} ${JSON.stringify(a.body)}`);
  }
}
