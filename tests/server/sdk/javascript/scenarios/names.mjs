// Projects are found by name; experiments of the same name get a new one, unless update is asked for.

import assert from "node:assert";
import { Eval, initExperiment } from "braintrust";
import { all, checkExperiment, checkRows, newProject, sentRows } from "../support.mjs";

export async function run() {
  const project = newProject("näme / of ü? 🦊");
  const init = (experiment, more) => initExperiment(project, { experiment, ...more });
  const three = [];
  for (let n = 0; n < 3; n++) {
    const experiment = init("an experiment");
    three.push({ experiment, id: await experiment.id, name: await experiment.name });
    experiment.log({ input: n, output: n, scores: { s: 1 } });
  }
  const [first, again, third] = three;
  assert.equal(first.name, "an experiment");
  assert.equal(new Set(three.map(({ id }) => id)).size, 3);
  assert.equal(new Set(three.map(({ name }) => name)).size, 3);
  assert(again.name.startsWith("an experiment-") && third.name.startsWith("an experiment-"));
  const [its, itsToo] = [await first.experiment.project, await again.experiment.project];
  assert(its.id === itsToo.id && its.name === project);
  const [unnamed, other] = [await init().name, await init().name];
  assert(unnamed && other && unnamed !== other);

  const update = init("an experiment", { update: true });
  assert.equal(await update.id, first.id);
  update.log({ input: "more", output: "more", scores: { s: 0 } });
  assert.equal((await checkExperiment(project, "an experiment")).length, 2);
  assert.equal((await checkExperiment(project, again.name)).length, 1);
  assert.equal((await update.summarize()).scores.s.score, 0.5);
  assert.equal(await init("made by update", { update: true }).name, "made by update");

  const evaluate = (more) =>
    Eval(project, { data: [{ input: 1 }], task: (n) => n, scores: [], experimentName: "evaluated", ...more });
  await evaluate({ update: true });
  await evaluate({ update: true });
  assert.equal((await checkExperiment(project, "evaluated")).length, 4);
  assert.notEqual((await evaluate({})).summary.experimentName, "evaluated");

  const byId = initExperiment({ projectId: its.id, experiment: "an experiment", open: true });
  assert.equal(await byId.id, first.id);
  checkRows(sentRows(first.id), await all(byId));
  await assert.rejects(() => init("nobody knows this", { open: true }).id, /not found/);
  await assert.rejects(() => initExperiment(newProject(), { experiment: "an experiment", open: true }).id, /not found/);
}
