// Eval over a dataset: every case links to its record, the experiment to the version.

import assert from "node:assert";
import { Eval, initDataset } from "braintrust";
import { all, byId, checkExperiment, checkSummary, get, newProject, roots } from "../support.mjs";

function right({ output, expected }) {
  return output === expected ? 1 : 0;
}

export async function run() {
  const project = newProject();
  const open = (more) => initDataset(project, { dataset: "cases", ...more });
  const dataset = open();
  for (let n = 0; n < 6; n++) {
    dataset.insert({ input: { n }, expected: n * 2, tags: ["t"], metadata: { n }, id: `case ${n}` });
  }
  await dataset.flush();
  const version = await open().version();
  const task = ({ n }) => (n === 3 ? null : n * 2);
  const evaluate = (experimentName, data) => Eval(project, { data, task, scores: [right], experimentName, trialCount: 2 });
  const stored = async ({ summary }) => (await get(`/v1/experiment/${summary.experimentId}`)).json();

  const result = await evaluate("on a dataset", open());
  const rows = await checkExperiment(project, "on a dataset");
  checkSummary(result.summary, rows);
  assert.equal(result.summary.scores.right.score, 10 / 12);
  const records = byId(await all(open()));
  assert.equal(roots(rows).length, 12);
  for (const row of roots(rows)) {
    const record = records[row.origin.id];
    assert.deepEqual([row.input, row.expected], [record.input, record.expected]);
    const { id, _xact_id, created } = record;
    assert.deepEqual(row.origin, { object_type: "dataset", object_id: await dataset.id, id, _xact_id, created });
  }
  const { dataset_id, dataset_version } = await stored(result);
  assert.deepEqual([dataset_id, dataset_version], [await dataset.id, version]);

  dataset.insert({ input: { n: 100 }, expected: 0 });
  await dataset.flush();
  const pinned = await evaluate("pinned", open({ version }));
  assert.equal(pinned.results.length, 12);
  assert.equal((await stored(pinned)).dataset_version, version);
  const latest = await evaluate("latest", open());
  assert.equal(latest.results.length, 14);
  checkSummary(latest.summary, await checkExperiment(project, "latest"), "pinned", await checkExperiment(project, "pinned"));
}
