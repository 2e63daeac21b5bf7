// The command line of the JavaScript package: braintrust eval, with --list, --jsonl and --filter.

import assert from "node:assert";
import { checkExperiment, newProject, roots } from "../support.mjs";
import { command, here } from "../command.mjs";

const FILE = here("evals/words.eval.js");

export async function run() {
  const project = newProject();
  const evaluate = async (...words) =>
    (await command("braintrust", ["eval", "--no-progress-bars", ...words], { CONFORMANCE_PROJECT: project })).stdout;
  const summaries = (stdout) =>
    Object.fromEntries(
      stdout
        .split("\n")
        .filter((line) => line.startsWith("{"))
        .map((line) => JSON.parse(line))
        .map((summary) => [summary.experimentName, summary]),
    );

  const listed = await evaluate("--list", FILE);
  for (const name of ["words", "numbers"]) assert(listed.includes(`${project} [experimentName=${name}]`), listed);

  const all = summaries(await evaluate("--jsonl", FILE));
  assert.deepEqual(Object.keys(all).sort(), ["numbers", "words"]);
  assert.equal(all.words.scores.same_length.score, 0.75);
  assert.equal(all.numbers.scores.positive.score, 0.5);
  assert.equal(all.words.projectName, project);
  assert(all.words.experimentUrl.endsWith("/experiments/words"));
  assert.equal(roots(await checkExperiment(project, "words")).length, 4);
  assert.equal(roots(await checkExperiment(project, "numbers")).length, 2);

  const filtered = summaries(await evaluate("--jsonl", FILE, "--filter", "metadata.kind=^fruit$"));
  const [name] = Object.keys(filtered).filter((name) => name.startsWith("words-"));
  assert.equal(filtered[name].scores.same_length.score, 0.5);
  assert.equal(roots(await checkExperiment(project, name)).length, 2);

  const text = await evaluate(FILE);
  assert(text.includes("same_length"), text);
}
