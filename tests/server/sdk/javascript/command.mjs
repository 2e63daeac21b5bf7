// Runs the programs that ship inside the JavaScript package.

import assert from "node:assert";
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The path of a file beside this one. */
export const here = (path) => join(dirname(fileURLToPath(import.meta.url)), path);

/** Runs a program of node_modules/.bin; it must succeed. */
export function command(program, words, more = {}) {
  const env = { ...process.env, ...more, NO_COLOR: "1" };
  const child = spawn(here(`node_modules/.bin/${program}`), words, { env, stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (data) => (stdout += data));
  child.stderr.on("data", (data) => (stderr += data));
  const timer = setTimeout(() => child.kill("SIGKILL"), 120_000);
  return new Promise((resolve, reject) => {
    child.on("close", (code) => {
      clearTimeout(timer);
      if (code === 0) resolve({ stdout, stderr });
      else reject(new assert.AssertionError({ message: `${program} ${words.join(" ")}: ${code}\n${stdout}${stderr}` }));
    });
  });
}
