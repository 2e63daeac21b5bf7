// The numbers of a summary, worked out by hand, of experiments logged by hand.

import assert from "node:assert";
import { initExperiment } from "braintrust";
import { checkExperiment, checkSummary, newProject } from "../support.mjs";

/** Each case is input, scores, seconds, tokens. */
function log(project, name, cases) {
  const experiment = initExperiment(project, { experiment: name });
  for (const [input, scores, seconds, tokens] of cases) {
    const root = experiment.startSpan({ name: "case", type: "eval", startTime: 1000, event: { input } });
    const task = root.startSpan({ name: "task", type: "task", startTime: 1000 });
    const model = task.startSpan({ name: "model", type: "llm", startTime: 1000.25 });
    model.log({ metrics: { prompt_tokens: tokens, completion_tokens: 10 } });
    model.end({ endTime: 1000.25 + seconds / 2 });
    task.end({ endTime: 1000 + seconds });
    const judge = root.startSpan({ name: "judge", spanAttributes: { type: "score", purpose: "scorer" }, startTime: 1100 });
    judge.log({ scores });
    judge.end({ endTime: 1200 });
    root.log({ output: "out" });
    root.end({ endTime: 1300 });
  }
  return experiment;
}

export async function run() {
  const project = newProject();
  const base = log(project, "base", [
    [{ a: 1, b: [1, 2] }, { acc: 0.5, tie: 0.5, old: 1 }, 2, 100],
    [{ a: 2 }, { acc: 1, tie: 0.25, half: 0 }, 2, 100],
    [{ a: 3 }, { acc: 0.25, tie: 1, half: null }, 2, 100],
    [{ a: "only here" }, { acc: 0, tie: 0 }, 50, 9000],
  ]);
  let summary = await base.summarize();
  const baseRows = await checkExperiment(project, "base");
  checkSummary(summary, baseRows);
  assert.equal(summary.scores.acc.score, 0.4375);
  assert.equal(summary.scores.half.score, 0);

  const now = log(project, "now", [
    [{ b: [1, 2], a: 1 }, { acc: 1, tie: 0.5, new: 1 }, 1, 150], // the same input: keys have no order
    [{ a: 2 }, { acc: 0.5, tie: 0.25, half: null }, 1.5, 120],
    [{ a: 3 }, { acc: 1, tie: 1, half: 1 }, 3, 50],
    [{ b: [2, 1], a: 1 }, { acc: 0, tie: 0 }, 90, 9000], // another input: lists have an order
  ]);
  summary = await now.summarize();
  const rows = await checkExperiment(project, "now");
  checkSummary(summary, rows, "base", baseRows);
  const entry = ({ score, metric, diff, improvements, regressions }) => [score ?? metric, diff ?? null, improvements, regressions];

  assert.equal(summary.scores.acc.score, 0.625);
  assert(Math.abs(summary.scores.acc.diff - (2.5 - 1.75) / 3) < 1e-9);
  assert.deepEqual(entry(summary.scores.acc).slice(2), [2, 1]);
  assert.deepEqual(entry(summary.scores.tie).slice(1), [0, 0, 0]);
  // One side of each key is null: there is a difference of means, and no key that went up or down.
  assert.deepEqual(entry(summary.scores.half), [1, 1, 0, 0]);
  assert.deepEqual(entry(summary.scores.new), [1, null, 0, 0]);
  assert(!("old" in summary.scores));
  // Less is better: two cases are faster, two take more tokens.
  const near = ([value, diff, ...counts], wanted) => {
    assert(Math.abs(diff - wanted[1]) < 1e-9);
    assert.deepEqual([value, ...counts], [wanted[0], ...wanted.slice(2)]);
  };
  near(entry(summary.metrics.duration), [23.875, 5.5 / 3 - 2, 2, 1]);
  near(entry(summary.metrics.prompt_tokens), [2330, 20 / 3, 1, 2]);
  near(entry(summary.metrics.total_tokens), [2340, 20 / 3, 1, 2]);
  near(entry(summary.metrics.completion_tokens), [10, 0, 0, 0]);

  // Nothing in common with the base: no difference.
  const other = log(project, "other", [[{ a: "elsewhere" }, { acc: 1 }, 1, 1]]);
  summary = await other.summarize();
  checkSummary(summary, await checkExperiment(project, "other"), "now", rows);
  assert.deepEqual(entry(summary.scores.acc), [1, null, 0, 0]);

  // A span that has not ended does not stop the summary.
  const running = other.startSpan({ name: "still running", event: { input: 1, scores: { acc: 0 } } });
  summary = await other.summarize();
  assert.equal(summary.scores.acc.score, 0.5);
  running.end();
  checkSummary(await other.summarize(), await checkExperiment(project, "other"), "now", rows);
}
