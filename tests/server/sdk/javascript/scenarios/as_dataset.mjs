// An experiment read as a dataset: its root spans, in pages.

import assert from "node:assert";
import { initExperiment } from "braintrust";
import { all, checkExperiment, newProject } from "../support.mjs";

export async function run() {
  const project = newProject();
  const experiment = initExperiment(project, { experiment: "source" });
  for (let n = 0; n < 25; n++) {
    const event = { input: { n }, metadata: { even: n % 2 === 0 }, tags: [`t${n % 3}`] };
    const root = experiment.startSpan({ name: "root", event });
    root.startSpan({ name: "child", event: { input: "not a record", output: n } }).end();
    root.log({ output: n * 2, ...(n % 5 === 0 ? { expected: n } : {}) });
    root.end();
  }
  assert.equal((await checkExperiment(project, "source")).length, 50);
  const opened = initExperiment(project, { experiment: "source", open: true });
  const records = await all(opened.asDataset({ batchSize: 7 }));
  records.sort((one, other) => one.input.n - other.input.n);
  const wanted = Array.from({ length: 25 }, (_, n) => ({
    input: { n },
    tags: [`t${n % 3}`],
    expected: n % 5 === 0 ? n : n * 2,
    metadata: { even: n % 2 === 0 },
  }));
  assert.deepEqual(records, wanted);
}
