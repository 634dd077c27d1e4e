import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Holdfast, HoldfastError, UnexpectedAnswerError } from "holdfast-client";
// @ts-expect-error: the scripts have no types
import * as scripts from "../../scripts/server.mjs";
// @ts-expect-error: the scripts have no types
import { types } from "../../scripts/types.mjs";
import { serve } from "./fake.js";

const root = new URL("../../", import.meta.url);
const line = { line: "1", sku: "TEE-M", quantity: 2 };
let server: { url: string; stop(): Promise<void> };

before(async () => {
  server = await scripts.start();
});
after(() => server.stop());

test("a sale, a replay and a shortage", async () => {
  const holdfast = new Holdfast(server.url);
  await holdfast.putLevel("TEE-M", "berlin", { id: "sale-count", on_hand: 5 });
  const held = await holdfast.reserve({ id: "sale", lines: [line] });
  assert.deepEqual([held.id, held.state, held.replay], ["sale", "held", false]);
  const again = await holdfast.reserve({ id: "sale", lines: [line] });
  assert.deepEqual([again.version, again.replay], [1, true]);
  assert.equal("replay" in JSON.parse(JSON.stringify(again)), false);
  assert.equal((await holdfast.confirm("sale")).state, "confirmed");

  const short = await holdfast.reserve({ id: "short", lines: [{ ...line, quantity: 4 }] }).catch((e: unknown) => e);
  assert.ok(short instanceof HoldfastError && short instanceof Error);
  assert.ok(short.code === "insufficient_stock" && short.status === 409);
  assert.deepEqual(short.shortages, [{ line: "1", sku: "TEE-M", requested: 4, available: 3 }]);
  assert.match(short.message, /^insufficient_stock: insufficient stock: line 1/);
});

test("names are escaped, and null removes", async () => {
  const holdfast = new Holdfast(server.url + "/");
  await holdfast.adjust({ id: "a/b 1", sku: "a/b ?", location: "x y", delta: 3 });
  const levels = await holdfast.queryLevels({ skus: ["a/b ?"] });
  assert.deepEqual((await holdfast.stock("a/b ?")).levels, levels.levels);
  await holdfast.reserve({ id: "a/b", order: "5512", lines: [{ line: "1", sku: "a/b ?", quantity: 1 }] });
  assert.equal((await holdfast.describe("a/b", { order: null })).order, undefined);
  assert.equal((await holdfast.reservations({ id_prefix: "a/", limit: 1 })).reservations[0]?.id, "a/b");
  await holdfast.release("a/b");
  await holdfast.removeLevel("a/b ?", "x y");
  await assert.rejects(holdfast.stock("a/b ?"), (e) => e instanceof HoldfastError && e.code === "not_found");
});

test("a call whose answer is lost is sent again", async () => {
  const holdfast = new Holdfast(server.url);
  await holdfast.putLevel("CUT", "berlin", { id: "cut-count", on_hand: 5 });
  let calls = 0;
  const lossy: typeof fetch = async (...request) => {
    const answer = await fetch(...request); // the server has done it
    if (++calls < 3) throw new TypeError("fetch failed", { cause: { code: "ECONNRESET" } });
    return answer;
  };
  const waits: number[] = [];
  const client = new Holdfast(server.url, { fetch: lossy, wait: async (ms) => void waits.push(ms) });
  const held = await client.reserve({ id: "cut", lines: [{ line: "1", sku: "CUT", quantity: 2 }] });
  assert.deepEqual([held.replay, calls], [true, 3]);
  assert.equal((await holdfast.stock("CUT")).levels[0]?.held, 2);
  waits.forEach((wait, i) => assert.ok(wait >= 250 * 2 ** i && wait <= 500 * 2 ** i, `wait ${i} is ${wait}`));
});

test("every operation has a method", async () => {
  const document = await (await fetch(server.url + "/openapi.json")).json();
  const described = new Set<string>();
  for (const [path, methods] of Object.entries<object>(document.paths))
    if (path.startsWith("/v1/")) for (const method of Object.keys(methods)) described.add(`${method} ${path}`);
  const called = new Set<string>();
  const record: typeof fetch = async (url, init) => {
    const path = new URL(String(url)).pathname.replace("/ID", "/{id}").replace("/SKU", "/{sku}").replace("/LOC", "/{location}");
    called.add(`${init?.method?.toLowerCase()} ${path}`);
    return new Response("{}", { headers: { "Content-Type": "application/json" } });
  };
  const h = new Holdfast("http://localhost", { fetch: record });
  const units = { id: "x", to: "LOC", lines: [{ line: "1", quantity: 1 }] };
  await Promise.all([
    h.reserve({ id: "x", lines: [line] }), h.reservation("ID"), h.reservations(), h.describe("ID", {}), h.confirm("ID"),
    h.release("ID"), h.fulfill("ID"), h.unfulfill("ID", units), h.return("ID", units), h.extend("ID"),
    h.move("ID", { id: "x", line: "1", to: "LOC" }), h.amend("ID", { id: "x", lines: [] }), h.stock("SKU"), h.levels(),
    h.queryLevels({}), h.putLevel("SKU", "LOC", { id: "x" }), h.adjust({ id: "x", sku: "SKU", location: "LOC", delta: 1 }),
    h.count({ id: "x", counts: [] }), h.transfer({ id: "x", sku: "SKU", from: "LOC", to: "B", quantity: 1 }),
    h.removeLevel("SKU", "LOC"), h.route({ lines: [line] }), h.availability({ skus: [] }), h.directory(),
    h.applyDirectory({ locations: [], channels: [] }, { ifVersion: 3, actor: "anna" }), h.startAudit(), h.audit("ID"),
    h.changes(),
  ]);
  assert.deepEqual([...called].sort(), [...described].sort());
});

test("src/schema.ts has the types of the document", async () => {
  const written = readFileSync(new URL("src/schema.ts", root), "utf8");
  assert.ok(written === (await types(server.url)), "src/schema.ts is not of this document: npm run generate");
});

test("the document passes the recommended rules of redocly lint", async () => {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-lint-"));
  try {
    const document = join(folder, "openapi.json");
    writeFileSync(document, await (await fetch(server.url + "/openapi.json")).text());
    const program = fileURLToPath(new URL("node_modules/@redocly/cli/bin/cli.js", root));
    const env = { ...process.env, REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true", CI: "true" };
    const ran = spawnSync(process.execPath, [program, "lint", document, "--format=stylish", "--max-problems=50"], {
      env, cwd: folder, encoding: "utf8",
    });
    assert.equal(ran.status, 0, ran.stdout + ran.stderr);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("the example of the README", async () => {
  const fresh = await scripts.start();
  try {
    const env = { ...process.env, HOLDFAST_URL: fresh.url, HOLDFAST_KEY: "" };
    const ran = spawnSync(process.execPath, [fileURLToPath(new URL("build/test/readme.js", root))], { env, encoding: "utf8" });
    const printed = /```text\n(.*?)```/s.exec(readFileSync(new URL("README.md", root), "utf8"))?.[1];
    assert.deepEqual([ran.stdout, ran.stderr], [printed, ""]);
  } finally {
    await fresh.stop();
  }
});

test("a 503 and a 429 are repeated after Retry-After", async () => {
  const fake = await serve((_, call, answer) => {
    if (call === 1) answer(503, { code: "rebuilding" }, { "Retry-After": "3" });
    else if (call === 2) answer(429, { code: "too_many_requests" }, { "Retry-After": "99" });
    else if (call === 3) answer(503, { code: "unavailable" });
    else answer(200, { id: "ord-1" });
  });
  try {
    const waits: number[] = [];
    const client = new Holdfast(fake.url, { wait: async (ms) => void waits.push(ms) });
    assert.equal((await client.confirm("ord-1")).id, "ord-1");
    assert.deepEqual(waits, [3000, 10_000, 500]);
    assert.equal(new Set(fake.bodies).size, 1);
  } finally {
    await fake.stop();
  }
});

test("a time-out is repeated, until attemptsMax", async () => {
  const fake = await serve((_, call, answer) => {
    if (call > 2) answer(200, { id: "ord-1" });
  });
  try {
    const options = { attemptTimeout: 1000, wait: async () => {} };
    await assert.rejects(new Holdfast(fake.url, { ...options, attemptsMax: 2 }).confirm("ord-1"), { name: "TimeoutError" });
    assert.equal(fake.bodies.length, 2);
    assert.equal((await new Holdfast(fake.url, options).confirm("ord-1")).id, "ord-1");
  } finally {
    await fake.stop();
  }
});

test("what is not repeated", async () => {
  const fake = await serve((request, _, answer) => {
    if (request.url === "/v1/stock/page") answer(200, "<p>", { "Content-Type": "text/html" });
    else answer(409, { code: "a_new_code", detail: "no", status: 409 });
  });
  const none = async () => assert.fail("it waits");
  const client = new Holdfast(fake.url, { wait: none });
  try {
    await assert.rejects(client.stock("x"), (e) => e instanceof HoldfastError && e.status === 409);
    await assert.rejects(client.stock("page"), (e) => e instanceof UnexpectedAnswerError && e.mediaType === "text/html");
    await assert.rejects(client.stock("x", { signal: AbortSignal.abort() }), { name: "AbortError" });
  } finally {
    await fake.stop();
  }
});

test("a refused connection is not repeated", async () => {
  const fake = await serve(() => {});
  await fake.stop();
  const client = new Holdfast(fake.url, { wait: async () => assert.fail("it waits") });
  await assert.rejects(client.stock("x"), TypeError);
});

test("the key is sent, and a signal ends the wait", async () => {
  const authorizations: (string | undefined)[] = [];
  const fake = await serve((request, _, answer) => {
    authorizations.push(request.headers.authorization);
    answer(503, { code: "unavailable" }, { "Retry-After": "10" });
  });
  try {
    const ends = new AbortController();
    const call = new Holdfast(fake.url, { key: "hf_1" }).stock("x", { signal: ends.signal });
    while (authorizations.length === 0) await new Promise(setImmediate);
    ends.abort();
    await assert.rejects(call, { name: "AbortError" });
    assert.deepEqual(authorizations, ["Bearer hf_1"]);
  } finally {
    await fake.stop();
  }
});
