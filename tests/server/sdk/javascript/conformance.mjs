// Runs the scenarios of the real JavaScript SDK against the server in BRAINTRUST_APP_URL.
//
//     node conformance.mjs                 every scenario, one after another
//     node conformance.mjs feedback spans  those whose name contains a word
//     node conformance.mjs --parallel 8    8 copies of the Eval scenario at once
//     node conformance.mjs --list          the names
//
// Each scenario runs in a process of its own and in projects of its own.

import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const FILE = fileURLToPath(import.meta.url);
const HERE = dirname(FILE);
const TIMEOUT_SECONDS = 300;
const NAMES = readdirSync(join(HERE, "scenarios"))
  .map((file) => file.replace(/\.mjs$/, ""))
  .sort();

/** Runs a scenario in this process; an exception is its failure. */
async function runOne(name) {
  const { run } = await import(`./scenarios/${name}.mjs`);
  try {
    await run();
  } catch (error) {
    console.error(error.stack);
    console.error(`${error.name}: ${error.message.split("\n").join(" ")}`);
    process.exit(1);
  }
  process.exit(0);
}

/** Runs a scenario in a process of its own; gives its reason to fail, or null, and what it printed. */
function start(name) {
  const folder = mkdtempSync(join(tmpdir(), "conformance-"));
  const env = { BRAINTRUST_API_KEY: "conformance", ...process.env };
  env.BRAINTRUST_ALL_PUBLISH_PAYLOADS_DIR = join(folder, "sent");
  env.HOME = folder;
  const child = spawn(process.execPath, [FILE, "--one", name], { env, cwd: folder });
  let [stdout, stderr, late] = ["", "", false];
  child.stdout.on("data", (data) => (stdout += data));
  child.stderr.on("data", (data) => (stderr += data));
  const timer = setTimeout(() => ((late = true), child.kill("SIGKILL")), TIMEOUT_SECONDS * 1000);
  return new Promise((resolve) => {
    child.on("close", (code) => {
      clearTimeout(timer);
      rmSync(folder, { recursive: true, force: true });
      const last = stderr.trim().split("\n").pop().slice(0, 2000) || "no message";
      const reason = code === 0 ? null : late ? `no end after ${TIMEOUT_SECONDS} s` : last;
      resolve([reason, stdout + stderr]);
    });
  });
}

async function main(words) {
  if (!process.env.BRAINTRUST_APP_URL) {
    console.error("Set BRAINTRUST_APP_URL to the server's address.");
    process.exit(2);
  }
  let copies = 1;
  const at = words.indexOf("--parallel");
  if (at >= 0) {
    [, copies] = words.splice(at, 2).map(Number);
    if (words.length === 0) words = ["eval_scores"];
  }
  const names = NAMES.filter((name) => words.length === 0 || words.some((word) => name.includes(word)));
  if (names.length === 0) {
    console.error(`No scenario is called like ${words}; there are ${NAMES.join(", ")}.`);
    process.exit(2);
  }
  let [passed, failed] = [0, 0];
  for (const name of names) {
    for (const [reason, output] of await Promise.all(Array.from({ length: copies }, () => start(name)))) {
      reason === null ? passed++ : failed++;
      console.log(reason === null ? `ok ${name}` : `FAIL ${name}: ${reason}`);
      if (reason !== null) console.error(output);
    }
  }
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed > 0 ? 1 : 0;
}

const words = process.argv.slice(2);
if (words[0] === "--one") await runOne(words[1]);
else if (words[0] === "--list") console.log(NAMES.join("\n"));
else await main(words);
