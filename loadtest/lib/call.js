// One call of the API. As a client should, it repeats the call until it is answered: the id makes that safe.
import http from 'k6/http';
import { sleep } from 'k6';
import { Counter } from 'k6/metrics';

const TRIES_MAX = 5;
const TIMEOUT = '15s';

export const repeated = new Counter('repeated'); // calls sent again: no answer, or a 5xx
const failures = new Counter('failures'); // answers that are neither a success nor a refusal

// A refusal is an answer: 409 is not a failure of the server.
const answers = http.expectedStatuses({ min: 200, max: 299 }, 409);

let logged = false;

// request returns a request for http.batch and call. name is its tag: requests with different paths share it.
export function request(s, method, path, body, name) {
  return {
    method,
    url: s.url + path,
    body: body === undefined ? null : JSON.stringify(body),
    params: {
      headers: Object.assign({ 'Content-Type': 'application/json' }, authorization(s)),
      tags: { name },
      responseCallback: answers,
      timeout: TIMEOUT,
    },
  };
}

// authorization returns the header with the key of a run, if it has one.
export function authorization(s) {
  return s.key ? { Authorization: `Bearer ${s.key}` } : {};
}

// call returns {status, text, body, replay, ms, tries}. status is 0 if there was no answer. ms is the time
// from the first try to the answer.
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

// answer reads a response of k6.
export function answer(res) {
  let body = null;
  try {
    body = res.json();
  } catch (_) {
    // no JSON: a caller that needs a body fails without one
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

// failed counts a wrong answer, and logs the first one of each VU.
export function failed(what, a) {
  failures.add(1);
  if (!logged) {
    logged = true;
    console.error(`${what}: ${said(a)}`);
  }
}

// said returns an answer as one line of text: of a problem, its detail.
export function said(a) {
  return a.status === 0 ? 'no answer' : `${a.status} ${(a.body && a.body.detail) || a.text}`;
}

// lost reports whether the outcome of a call is unknown, so that it must be repeated.
export function lost(a) {
  return a.status === 0 || a.status >= 500;
}
