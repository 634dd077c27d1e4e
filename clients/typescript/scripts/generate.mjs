// Writes src/schema.ts.
import { writeFileSync } from "node:fs";
import { start } from "./server.mjs";
import { types } from "./types.mjs";

const server = await start();
try {
  writeFileSync(new URL("../src/schema.ts", import.meta.url), await types(server.url));
} finally {
  await server.stop();
}
