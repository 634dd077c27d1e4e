// The thresholds of a run, and its summary with a verdict.
import { states } from './books.js';

const outcomes = ['accepted', 'refused', 'replayed'];
const steps = ['confirm', 'release', 'fulfill', 'move', 'amend', 'unfulfill'];
const always = 'count>=0'; // k6 sums up by tag only if there is a threshold

// options returns k6's options of a scenario: its executors, the common thresholds and its own.
export function options(s, scenarios, own) {
  return {
    scenarios,
    thresholds: Object.assign(thresholds(s), own),
    summaryTrendStats: ['med', 'p(99)', 'max', 'count'],
    setupTimeout: '2m',
    teardownTimeout: '30m',
  };
}

function thresholds(s) {
  const t = {
    dropped_iterations: ['count==0'],
    failures: ['count==0'],
    faults: ['count==0'],
    oversold_units: ['count==0'],
    final_checks: ['count==1'],
  };
  for (const state of states) {
    t[`books{state:${state}}`] = ['count==0'];
    t[`found{state:${state}}`] = [always];
  }
  for (const outcome of outcomes) {
    t[`reserves{outcome:${outcome}}`] = [always];
    t[`reserve_duration{outcome:${outcome}}`] = [`p(99)<${s.p99_ms}`];
  }
  for (const step of steps) {
    t[`step_duration{step:${step}}`] = [`p(99)<${2 * s.p99_ms}`]; // durable: Postgres has it
  }
  return t;
}

// These thresholds check that answers are right. A run that breaks one has failed, even if it is void too.
const truths = /^(failures|faults|oversold_units|final_checks|books\{)/;

// verdict returns the first word that applies: failed if an answer was wrong; void if k6 could not send
// the whole load, because then the figures belong to a lower load; failed if the run was too slow or broke
// a condition of its scenario; passed.
export function verdict(metrics) {
  const broken = [];
  for (const [name, metric] of Object.entries(metrics)) {
    for (const [threshold, result] of Object.entries(metric.thresholds || {})) {
      if (!result.ok) {
        broken.push({ name, threshold });
      }
    }
  }
  const dropped = broken.some((b) => b.name === 'dropped_iterations');
  const wrong = broken.some((b) => truths.test(b.name));
  const word = wrong ? 'failed' : dropped ? 'void' : broken.length > 0 ? 'failed' : 'passed';
  return { word, broken };
}

// summary returns what handleSummary must return: text for people, and for loadtest/run the verdict, a row
// of its table and all of k6's figures.
export function summary(s, scenario, data) {
  const m = data.metrics;
  const v = verdict(m);
  const text = [`${scenario}: ${v.word}`, ...sentences(s, m), ...v.broken.map((b) => explain(b, m))].join('\n  ');
  const files = { stdout: `\n${text}\n` };
  if (s.out) {
    files[`${s.out}/${scenario}.verdict`] = `${v.word}\n`;
    files[`${s.out}/${scenario}.row`] = row(s, scenario, v.word, m);
    files[`${s.out}/${scenario}.json`] = JSON.stringify(data, null, 2);
  }
  return files;
}

function sentences(s, m) {
  const list = outcomes.filter((o) => count(m, `reserves{outcome:${o}}`) > 0).map((o) => {
    const n = count(m, `reserves{outcome:${o}}`);
    return `${o} ${n}, ${perSecond(n, s)}/s: ${quantiles(m, `reserve_duration{outcome:${o}}`)}`;
  });
  for (const step of steps) {
    if (count(m, `step_duration{step:${step}}`) > 0) {
      list.push(`${step}: ${quantiles(m, `step_duration{step:${step}}`)}`);
    }
  }
  const parts = states.map((state) => `${count(m, `found{state:${state}}`)} ${state}`);
  const sum = states.reduce((n, state) => n + count(m, `found{state:${state}}`), 0);
  if (count(m, 'final_checks') !== 1) {
    return list.concat('the final check was not made');
  }
  list.push(`accepted ${count(m, 'reserves{outcome:accepted}')}; found ${sum}: ${parts.join(' + ')}`);
  list.push(`oversold units ${count(m, 'oversold_units')}, faults ${count(m, 'faults')}, ` +
    `wrong answers ${count(m, 'failures')}, calls repeated ${count(m, 'repeated')}`);
  return list;
}

function explain(b, m) {
  if (b.name === 'dropped_iterations') {
    return `void: ${count(m, b.name)} buyers never came, because k6 had no free VU: lower the rate, or raise LOAD_VUS`;
  }
  if (b.name.startsWith('books{')) {
    const n = count(m, b.name);
    return `broken: ${b.name}: ${Math.abs(n)} reservations ${n > 0 ? 'of buyers were not found' : 'are nobody\'s'} in this state`;
  }
  return `broken: ${b.name} ${b.threshold}`;
}

function row(s, scenario, word, m) {
  const cell = (text, width) => String(text).padStart(width);
  const of = (outcome) => {
    const n = count(m, `reserves{outcome:${outcome}}`);
    const p99 = n > 0 ? m[`reserve_duration{outcome:${outcome}}`].values['p(99)'].toFixed(1) : '-';
    return cell(perSecond(n, s), 12) + cell(p99, 9);
  };
  const confirm = m['step_duration{step:confirm}'];
  const p99 = confirm.values.count > 0 ? confirm.values['p(99)'].toFixed(1) : '-';
  return scenario.padEnd(16) + word.padEnd(8) + of('accepted') + of('refused') + cell(p99, 12) +
    cell(count(m, 'dropped_iterations'), 9) + cell(count(m, 'oversold_units'), 10) + '\n';
}

// count returns the count of a metric, or 0 if nothing was added to it.
function count(m, name) {
  return m[name] ? m[name].values.count : 0;
}

function perSecond(n, s) {
  return (n / s.seconds).toFixed(1);
}

function quantiles(m, name) {
  const v = m[name].values;
  return `p50 ${v.med.toFixed(1)} ms, p99 ${v['p(99)'].toFixed(1)} ms, max ${v.max.toFixed(1)} ms`;
}
