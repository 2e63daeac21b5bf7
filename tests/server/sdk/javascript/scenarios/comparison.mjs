// What an experiment is compared with: by name, by id, an unknown name, the most recent, one given to summarize().

import assert from "node:assert";
import { Eval, initExperiment } from "braintrust";
import { checkExperiment, checkSummary, get, newProject } from "../support.mjs";

function eighth({ output }) {
  return output / 8;
}

async function evaluate(project, experimentName, quality, more = {}) {
  const data = [0, 1, 2, 3].map((n) => ({ input: n, expected: n }));
  return (await Eval(project, { data, task: (n) => n * quality, scores: [eighth], experimentName, ...more })).summary;
}

export async function run() {
  const project = newProject();
  const rows = {};
  const first = await evaluate(project, "first", 1);
  rows.first = await checkExperiment(project, "first");
  checkSummary(first, rows.first);
  await evaluate(project, "second", 2);
  rows.second = await checkExperiment(project, "second");

  async function check(name, base, more) {
    const summary = await evaluate(project, name, 1.5, more);
    rows[name] = await checkExperiment(project, name);
    checkSummary(summary, rows[name], base, rows[base]);
    return summary;
  }

  const byName = await check("by name", "first", { baseExperimentName: "first" });
  assert.deepEqual([byName.scores.eighth.improvements, byName.scores.eighth.regressions], [3, 0]);
  assert.equal((await (await get(`/v1/experiment/${byName.experimentId}`)).json()).base_exp_id, first.experimentId);
  await check("by id", "first", { baseExperimentId: first.experimentId });
  await check("most recent", "by id");
  await check("unknown", "most recent", { baseExperimentName: "there is none of this name" });

  // The stored base stays; an explicit comparison goes before it.
  const byHand = initExperiment(project, { experiment: "by hand", baseExperiment: "first" });
  for (const n of [0, 1, 2, 3]) byHand.log({ input: n, output: n, scores: { eighth: n / 10 } });
  checkSummary(await byHand.summarize(), await checkExperiment(project, "by hand"), "first", rows.first);
  const second = initExperiment(project, { experiment: "second", open: true });
  const explicit = await byHand.summarize({ comparisonExperimentId: await second.id });
  checkSummary(explicit, await checkExperiment(project, "by hand"), "second", rows.second);
  const silent = await byHand.summarize({ summarizeScores: false });
  assert.deepEqual([silent.scores, silent.experimentName], [{}, "by hand"]);
}
