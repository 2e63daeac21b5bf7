// Eval() twice in one project: trials, every kind of scorer, a task that raises, tokens, the summary.

import assert from "node:assert";
import { setTimeout as sleep } from "node:timers/promises";
import { Eval, currentSpan, traced } from "braintrust";
import { checkExperiment, checkLink, checkSummary, named, newProject, roots } from "../support.mjs";

const CASES = [
  { input: { question: "2 + 2" }, expected: "4", metadata: { level: 1 }, tags: ["easy"] },
  { input: { question: "2 * 21" }, expected: "42", metadata: { level: 2 } },
  { input: { question: "naïve 🦊" }, expected: "yes", tags: ["hard", "text"] },
  { input: { question: "raise" } },
];

const task = (run) => async (input, hooks) => {
  await traced(
    async (span) => {
      await sleep(run ? 1 : 25);
      span.log({
        output: "42",
        metadata: { model: "small" },
        metrics: { prompt_tokens: 10 + run, completion_tokens: 5, estimated_cost: 0.25, prompt_cached_tokens: 3 },
      });
    },
    { name: "model", type: "llm", event: { input } },
  );
  if (input.question === "raise") throw new Error("the task has failed");
  hooks.metadata.trial = hooks.trialIndex;
  hooks.span.log({ metrics: { prompt_tokens: 1000 }, metadata: { run } });
  return { text: run ? "42" : "4", trial: hooks.trialIndex };
};

const scores = [
  function exact({ output, expected }) {
    return output.text === expected ? 1 : 0;
  },
  function by_trial({ input, output }) {
    return input.question.includes("21") ? [0, 0.25, 1][output.trial] : 0.5;
  },
  function nothing() {
    return null;
  },
  function sometimes({ input }) {
    return input.question.includes("🦊") ? null : 1;
  },
  function broken({ input }) {
    if (input.question.includes("21")) throw new TypeError("the scorer has failed");
    return 0.75;
  },
  function several({ output }) {
    return [
      { name: "length", score: output.text.length / 4, metadata: { chars: output.text.length } },
      { name: "empty", score: null },
      { name: "fine", score: 1 },
    ];
  },
  function judge() {
    const span = currentSpan().startSpan({ name: "judge model", type: "llm" });
    span.log({ metrics: { prompt_tokens: 7777, completion_tokens: 7777, estimated_cost: 99 } });
    span.end();
    return { name: "judged", score: 0.125, metadata: { why: "so" } };
  },
];

const evaluate = (project, run) =>
  Eval(project, {
    data: CASES,
    task: task(run),
    scores,
    experimentName: `run ${run}`,
    trialCount: 3,
    metadata: { run },
    maxConcurrency: 4,
  });

export async function run() {
  const project = newProject();
  const first = await evaluate(project, 0);
  assert.equal(first.results.length, 12);
  const base = await checkExperiment(project, "run 0");
  assert.equal(roots(base).length, 12);
  assert.equal(named(base, "several").length, 9);
  assert(named(base, "nothing").every((span) => !span.scores));
  const failed = roots(base).filter((row) => row.input.question === "raise");
  assert(failed.length === 3 && failed.every((row) => row.error.includes("the task has failed")));
  checkSummary(first.summary, base);
  assert(Math.abs(first.summary.scores.by_trial.score - (0.5 * 6 + 1.25) / 9) < 1e-12);
  assert(!("nothing" in first.summary.scores) && !("empty" in first.summary.scores));
  assert.equal(first.summary.metrics.prompt_tokens.metric, 10);

  const second = await evaluate(project, 1);
  const rows = await checkExperiment(project, "run 1");
  checkSummary(second.summary, rows, "run 0", base);
  const { exact } = second.summary.scores;
  assert.deepEqual([exact.improvements, exact.regressions], [1, 1]);
  const { duration, prompt_tokens } = second.summary.metrics;
  assert(duration.diff < 0 && duration.improvements >= 3);
  assert.deepEqual([prompt_tokens.diff, prompt_tokens.improvements, prompt_tokens.regressions], [1, 0, 4]);
  await checkLink(second.summary.experimentUrl, project, "experiments", "run 1");
}
