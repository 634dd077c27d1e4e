// Copies the example of the README to test/readme.ts, so that it is compiled and run.
import { readFileSync, writeFileSync } from "node:fs";

const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const blocks = [...readme.matchAll(/```ts\n(.*?)```/gs)].map((match) => match[1]);
if (blocks.length !== 1) throw new Error(`the README has ${blocks.length} examples, want 1`);
writeFileSync(new URL("../test/readme.ts", import.meta.url), blocks[0]);
