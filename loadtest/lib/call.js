// One call of the API, repeated until it is answered, as a client should: an id makes that safe.
import http from 'k6/http';
import { sleep } from 'k6';
import { Counter } from 'k6/metrics';

const TRIES_MAX = 5;
const TIMEOUT = '15s';

export const repeated = new Counter('repeated'); // calls sent again: no answer, or a 5xx
const failures = new Counter('failures'); // what was answered neither with success nor with a refusal

// A refusal is an answer: 409 is not a failure of the server.
const answers = http.expectedStatuses({ min: 200, max: 299 }, 409);

let logged = false;

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

// call answers {status, text, body, replay, ms, tries}: status 0 where there was no answer at all. ms
// is the time from the first try to the answer.
export function call(s, method, path, body, name) {
  const r = request(s, method, path, body, name);
  const began = Date.now();
  for (let tries = 1; ; tries++) {
    const a = answer(http.request(r.method, r.url, r.body, r.params));
    if (!lost(a) || tries === TRIES_MAX) {
      return Object.assign(a, { tries, ms: tries === 1 ? a.ms : Date.now() - began });
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
  return {
    status: res.status,
    text: res.body,
    body,
    replay: res.headers['Idempotent-Replay'] === 'true',
    ms: res.timings.duration,
    tries: 1,
  };
}

// failed counts an answer that nobody should get, and shows each VU's first.
export function failed(what, a) {
  failures.add(1);
  if (!logged) {
    logged = true;
    console.error(`${what}: ${said(a)}`);
  }
}

// said is an answer in a line: a problem by its detail.
export function said(a) {
  return a.status === 0 ? 'no answer' : `${a.status} ${(a.body && a.body.detail) || a.text}`;
}

// lost says whether the outcome is unknown, so that the call is to be repeated.
export function lost(a) {
  return a.status === 0 || a.status >= 500;
}
