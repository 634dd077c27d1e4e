// Starts `holdfast serve` on a free port and the embedded engine, for the tests and the generator.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("../../..", import.meta.url));

// program returns the path of the program under test: HOLDFAST_PROGRAM, or one built from this repository.
function program(dir) {
  if (process.env.HOLDFAST_PROGRAM) return process.env.HOLDFAST_PROGRAM;
  const path = join(dir, "holdfast");
  execFileSync("go", ["build", "-o", path, "./cmd/holdfast"], { cwd: repository, stdio: "inherit" });
  return path;
}

// start resolves when the server listens. stop ends it.
export async function start() {
  const dir = mkdtempSync(join(tmpdir(), "holdfast-client-"));
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("HOLDFAST_")));
  const child = spawn(program(dir), ["serve", "--http-listen=127.0.0.1:0"], { cwd: dir, env, stdio: ["ignore", "ignore", "pipe"] });
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const url = await new Promise((resolve, reject) => {
    let log = "";
    createInterface({ input: child.stderr }).on("line", (line) => {
      log += line + "\n";
      const listening = /"msg":"listening on (http:[^"]+)"/.exec(line) ?? /listening on (http:\S+)/.exec(line);
      if (listening) resolve(listening[1]);
    });
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`holdfast serve ended with ${code}:\n${log}`)));
  });
  return {
    url,
    stop: async () => {
      child.kill("SIGTERM");
      await ended;
      rmSync(dir, { recursive: true });
    },
  };
}
