// Spans by hand: nested, wrapped functions, failing, updated later, continued elsewhere.

import assert from "node:assert";
import { currentSpan, flush, initExperiment, startSpan, updateSpan, wrapTraced } from "braintrust";
import { byId, checkExperiment, named, newProject, roots } from "../support.mjs";

const inner = wrapTraced(
  function inner(n) {
    currentSpan().log({ metadata: { inner: true }, metrics: { "my.metric": n } });
    return n * 2;
  },
  { name: "renamed", type: "tool" },
);
const outer = wrapTraced(async function outer(n, word) {
  return [await inner(n + 1), word];
});
const failing = wrapTraced(async function failing() {
  throw new RangeError("no such 🗝");
});

export async function run() {
  const project = newProject();
  const experiment = initExperiment(project, { experiment: "spans" });
  let link;
  await experiment.traced(
    async (root) => {
      root.log({ metadata: { one: 1, both: { x: 1, y: [1] } }, tags: ["a"] });
      await outer(3, "x");
      await assert.rejects(failing, RangeError);
      const chain = root.startSpan({ name: "chain", type: "task", spanAttributes: { mine: { k: [1] } } });
      link = await chain.export();
      const leaf = chain.startSpan({ name: "leaf", type: "llm", event: { input: [{ role: "user", content: "hi" }] } });
      leaf.log({ output: "hello", metrics: { tokens: 3, time_to_first_token: 0.125 } });
      leaf.end();
      chain.end();
      await flush();
      root.log({ metadata: { two: 2, both: { y: [2], z: null } }, tags: ["b", "a"], output: [1, 2] });
      root.setAttributes({ name: "renamed root", type: "review", more: 1 });
    },
    { name: "root", event: { input: { a: 1 } } },
  );
  const elsewhere = startSpan({ name: "elsewhere", parent: link });
  elsewhere.log({ output: "continued" });
  elsewhere.end();
  const broken = () => {
    throw new Error("the root has failed");
  };
  assert.throws(() => experiment.traced(broken, { name: "broken root" }));

  let rows = await checkExperiment(project, "spans");
  assert.deepEqual([rows.length, roots(rows).length], [8, 2]);
  const one = (name) => named(rows, name)[0];
  const top = one("renamed root");
  assert.deepEqual(top.metadata, { one: 1, two: 2, both: { x: 1, y: [2], z: null } });
  assert.deepEqual([top.tags, top.span_attributes.type, top.span_attributes.more], [["a", "b"], "review", 1]);
  assert.deepEqual([one("outer").input, one("outer").output], [[3, "x"], [8, "x"]]);
  assert.deepEqual(one("renamed").span_parents, [one("outer").span_id]);
  assert.equal(one("renamed").metrics["my.metric"], 4);
  assert(one("failing").error.includes("no such 🗝") && !top.error);
  assert(one("broken root").error.includes("the root has failed"));
  assert.deepEqual(one("elsewhere").span_parents, [one("chain").span_id]);
  const others = rows.filter((row) => row !== one("broken root"));
  assert(others.every((row) => row.root_span_id === top.root_span_id));
  assert(one("leaf").metrics.end >= one("leaf").metrics.start && one("leaf").metrics.start > 1.5e9);

  // A flushed span is changed by its id and by what it exported.
  experiment.updateSpan({ id: top.id, output: { changed: true }, scores: { late: 0.5 } });
  updateSpan({ exported: link, metadata: { "by export": 1 } });
  rows = await checkExperiment(project, "spans");
  assert.equal(rows.length, 8);
  assert.deepEqual([byId(rows)[top.id].output, byId(rows)[top.id].scores], [{ changed: true }, { late: 0.5 }]);
  assert.deepEqual(one("chain").metadata, { "by export": 1 });
}
