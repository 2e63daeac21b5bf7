// A scorer reads the spans of its trace, from the SDK's cache and from the server.

import assert from "node:assert";
import { Eval, traced } from "braintrust";
import { checkExperiment, newProject } from "../support.mjs";

async function task(input) {
  for (let n = 0; n < input; n++) {
    const event = { metadata: { n, deep: { even: n % 2 === 0 } }, output: n };
    traced(() => n, { name: `model ${n}`, type: "llm", event });
  }
  await traced(() => Promise.reject(new Error("tool failed")), { name: "tool", type: "tool" }).catch(() => {});
  return input;
}

const seen = [];

async function reads({ input, trace }) {
  const names = async (query) => (await trace.getSpans(query)).map((span) => span.span_attributes.name).sort();
  const models = Array.from({ length: input }, (_, n) => `model ${n}`);
  const everything = (await names()).filter((name) => name !== "eval");
  assert.deepEqual(everything, [...models, "task", "tool"]);
  assert.deepEqual(await names({ spanType: ["llm"] }), models);
  assert.deepEqual(await names({ spanType: ["llm", "tool"] }), [...models, "tool"]);
  assert.deepEqual(await names({ filters: { name: ["model 1", "nobody"] } }), ["model 1"]);
  assert.deepEqual(await names({ filters: { hasError: true } }), ["tool"]);
  assert.deepEqual(await names({ filters: { metadata: { deep: { even: true } } } }), models.filter((_, n) => n % 2 === 0));
  assert.deepEqual(await names({ filters: { metadata: { n: 1 }, spanType: ["llm"] } }), ["model 1"]);
  assert.deepEqual(await names({ filters: { duration: { min: 100 } } }), []);
  assert.deepEqual(await names({ filters: { spanType: ["llm"], duration: { min: 0, max: 100 } } }), models);
  const [tool] = await trace.getSpans({ spanType: ["tool"] });
  assert(tool.error.includes("tool failed"));
  seen.push(input);
  return 1;
}

export async function run() {
  const project = newProject();
  for (const enableCache of [true, false]) {
    seen.length = 0;
    const experimentName = `cache ${enableCache}`;
    const data = [2, 3, 4].map((input) => ({ input }));
    const result = await Eval(project, { data, task, scores: [reads], experimentName }, { enableCache });
    assert.deepEqual([...seen].sort(), [2, 3, 4], JSON.stringify(result.results.map((one) => one.metadata)));
    assert.equal(result.summary.scores.reads.score, 1);
    await checkExperiment(project, experimentName);
  }
}
