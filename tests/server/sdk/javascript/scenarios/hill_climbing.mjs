// Eval on the cases of a base experiment, named and unnamed.

import assert from "node:assert";
import { BaseExperiment, Eval } from "braintrust";
import { checkExperiment, checkSummary, newProject, roots } from "../support.mjs";

function same({ output, expected }) {
  return output === expected ? 1 : 0;
}

export async function run() {
  const project = newProject();
  async function evaluate(experimentName, data, suffix) {
    const { summary } = await Eval(project, { data, task: (text) => text + suffix, scores: [same], experimentName });
    return [summary, await checkExperiment(project, experimentName)];
  }
  const cases = [
    { input: "a", expected: "a!", tags: ["t"], metadata: { m: 1 } },
    { input: "b" },
    { input: "c", expected: "c!" },
  ];
  const [, first] = await evaluate("first", cases, "?");
  await evaluate("second", cases.slice(0, 2), "!");

  let [summary, rows] = await evaluate("named", BaseExperiment({ name: "first" }), "?");
  const expected = Object.fromEntries(roots(rows).map((row) => [row.input, row.expected]));
  assert.deepEqual(expected, { a: "a!", b: "b?", c: "c!" });
  const a = roots(rows).find((row) => row.input === "a");
  assert.deepEqual([a.tags, a.metadata], [["t"], { m: 1 }]);
  checkSummary(summary, rows, "first", first);

  [summary, rows] = await evaluate("unnamed", BaseExperiment(), "!");
  assert.deepEqual(roots(rows).map((row) => row.input).sort(), ["a", "b", "c"]);
  checkSummary(summary, rows, "named", await checkExperiment(project, "named"));
  assert.deepEqual([summary.scores.same.improvements, summary.scores.same.regressions], [2, 1]);
}
