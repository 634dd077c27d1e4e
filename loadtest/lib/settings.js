// The settings of a run: LOAD_… variables. loadtest/README.md lists them.

const SECONDS_MIN = 5; // a shorter report has nothing to draw
const unitSeconds = { s: 1, m: 60, h: 3600 };

// settings reads the variables. defaults has the scenario's value of each that is not set.
export function settings(defaults) {
  const d = Object.assign({ p99_ms: 500, buyer_seconds: 1 }, defaults);
  const read = {
    url: text('LOAD_URL', 'http://127.0.0.1:8080').replace(/\/+$/, ''),
    key: text('HOLDFAST_KEY', ''),
    channel: text('LOAD_CHANNEL', ''),
    locations: text('LOAD_LOCATIONS', 'load-1,load-2').split(','),
    rate: whole('LOAD_RATE', d.rate),
    seconds: seconds('LOAD_DURATION', d.duration),
    units: whole('LOAD_UNITS', d.units),
    skus: d.skus ? whole('LOAD_SKUS', d.skus) : 1, // a scenario with one SKU keeps it
    tries: whole('LOAD_TRIES', 3),
    p99_ms: whole('LOAD_P99_MS', d.p99_ms),
    settle_seconds: whole('LOAD_SETTLE_SECONDS', 60),
    not_after_seconds: text('LOAD_NOT_AFTER_SECONDS', '') && whole('LOAD_NOT_AFTER_SECONDS'),
    out: text('LOAD_OUT', ''),
  };
  // A hold that is not abandoned must not expire before the final check sees it.
  read.ttl_seconds = read.seconds + read.settle_seconds + 3600;
  // A buyer needs a VU for about buyer_seconds, so k6 needs as many VUs as buyers come in that time.
  read.vus = whole('LOAD_VUS', Math.max(100, Math.ceil(read.rate * d.buyer_seconds)));
  return read;
}

function text(name, otherwise) {
  return __ENV[name] || otherwise;
}

function whole(name, otherwise) {
  const value = text(name, String(otherwise));
  if (!/^[1-9][0-9]*$/.test(value)) {
    throw new Error(`${name}: "${value}" must be a whole number of 1 or more`);
  }
  return Number(value);
}

function seconds(name, otherwise) {
  const value = text(name, otherwise);
  const [, number, unit] = value.match(/^([0-9]+)([smh])$/) || [];
  if (!unit || number * unitSeconds[unit] < SECONDS_MIN) {
    throw new Error(`${name}: "${value}" must be a duration of ${SECONDS_MIN}s or more, such as 20s, 5m or 2h`);
  }
  return number * unitSeconds[unit];
}
