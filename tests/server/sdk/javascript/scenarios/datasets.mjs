// Datasets: insert, replace, update, delete, fetch, count, open by name and by id.

import assert from "node:assert";
import { flush, initDataset } from "braintrust";
import { all, byId, checkLink, checkRows, newProject, sentRows } from "../support.mjs";

export async function run() {
  const project = newProject();
  const open = (more) => initDataset(project, { dataset: "records", ...more });
  const read = async () => {
    await flush();
    return byId(checkRows(sentRows(await dataset.id), await all(open())));
  };

  const dataset = open({ description: "für alle", metadata: { owner: "me" } });
  const ids = Array.from({ length: 10 }, (_, n) =>
    dataset.insert({ input: { n }, expected: { answer: n / 3 }, tags: ["a"], metadata: { n, deep: { x: 1, y: 2 } } }),
  );
  const own = dataset.insert({ input: "mine", id: "my own id 🦊" });
  assert.equal(own, "my own id 🦊");
  let rows = await read();
  assert.equal(Object.keys(rows).length, 11);
  assert.equal(rows[own].dataset_id, await dataset.id);

  dataset.update({ id: ids[0], expected: "new", metadata: { deep: { y: 3 } }, tags: ["b", "a"] });
  dataset.update({ id: ids[1], input: "only the input" });
  dataset.delete(ids[2]);
  dataset.insert({ input: "replaced", id: own });
  rows = await read();
  assert(!(ids[2] in rows) && Object.keys(rows).length === 10);
  assert.deepEqual([rows[ids[0]].expected, rows[ids[0]].tags], ["new", ["a", "b"]]);
  assert.deepEqual(rows[ids[0]].metadata, { n: 0, deep: { x: 1, y: 3 } });
  assert.deepEqual([rows[ids[1]].input, rows[ids[1]].expected], ["only the input", { answer: 1 / 3 }]);
  assert.equal(rows[own].input, "replaced");

  dataset.update({ id: "written by an update alone", input: 1, expected: 2 });
  dataset.insert({ input: "again", id: ids[2] });
  rows = await read();
  assert.equal(rows["written by an update alone"].expected, 2);
  assert(rows[ids[2]].input === "again" && !rows[ids[2]].metadata);

  const summary = await dataset.summarize();
  assert.equal(summary.dataSummary.totalRecords, 12);
  assert.deepEqual([summary.datasetName, summary.projectName], ["records", project]);
  await checkLink(summary.datasetUrl, project, "datasets", "records");

  const sameById = initDataset({ datasetId: await dataset.id });
  assert.deepEqual([await sameById.name, (await sameById.project).name], ["records", project]);
  checkRows(sentRows(await dataset.id), await all(sameById));
  assert.equal(await open({ description: "another" }).id, await dataset.id);
  const other = initDataset(project, { dataset: "other records" });
  assert.notEqual(await other.id, await dataset.id);
  assert.deepEqual(await all(other), []);
  assert.equal((await other.summarize()).dataSummary.totalRecords, 0);
}
