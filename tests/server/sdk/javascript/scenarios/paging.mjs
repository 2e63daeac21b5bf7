// 2,500 traces and 2,500 records in small pages: each row once, pages that end, stable while others write.

import assert from "node:assert";
import { flush, initDataset, initExperiment } from "braintrust";
import { all, checkRows, checkSpans, newProject, post, sentRows, source } from "../support.mjs";

export async function run() {
  const project = newProject();
  const experiment = initExperiment(project, { experiment: "many" });
  const dataset = initDataset(project, { dataset: "many" });
  for (let n = 0; n < 2500; n++) {
    const root = experiment.startSpan({ name: "root", event: { input: n } });
    if (n % 10 === 0) root.startSpan({ name: "child", event: { output: n } }).end();
    root.end();
    dataset.insert({ input: n, expected: n });
  }
  await flush();
  const id = await experiment.id;
  for (const batchSize of [41, 1000]) {
    const opened = initExperiment(project, { experiment: "many", open: true });
    assert.equal(checkSpans(sentRows(id), await all(opened.fetch({ batchSize }))).length, 2750);
    const records = await all(initDataset(project, { dataset: "many" }).fetch({ batchSize }));
    checkRows(sentRows(await dataset.id), records);
  }

  // Writes between two pages change no page that follows.
  const before = sentRows(id);
  const seen = [];
  for await (const row of initExperiment(project, { experiment: "many", open: true }).fetch({ batchSize: 100 })) {
    seen.push(row);
    if (seen.length === 300) {
      experiment.updateSpan({ id: seen[0].id, output: "changed while paging" });
      experiment.startSpan({ name: "written while paging" }).end();
      await flush();
    }
  }
  checkSpans(before, seen);

  // A page holds as many rows as asked for.
  const query = { select: [{ op: "star" }], from: source("experiment", id), limit: 10 };
  const page = await post("/btql", { query });
  assert(page.data.length <= 10 && page.cursor);
}
