// initLogger: rows, spans, feedback and comments of a project's logs, read back by a query.

import assert from "node:assert";
import { initLogger } from "braintrust";
import { btql, byId, checkSpans, newProject, sentRows, source } from "../support.mjs";

export async function run() {
  const projectName = newProject();
  const logger = initLogger({ projectName });
  const ids = [0, 1, 2, 3, 4].map((n) =>
    logger.log({ input: { n }, output: n, scores: { s: n / 8 }, metadata: { n }, tags: ["t"] }),
  );
  const span = logger.startSpan({ name: "request", type: "task", event: { input: "in" } });
  const model = span.startSpan({ name: "model", type: "llm" });
  model.log({ output: "out", metrics: { tokens: 5 } });
  model.end();
  span.end();
  await logger.flush();
  logger.logFeedback({ id: ids[0], scores: { s: 1, human: 0.5 }, comment: "good", metadata: { user: 1 } });
  logger.updateSpan({ id: ids[1], output: { changed: 1 } });
  await logger.flush();
  const { id } = await logger.project;
  const query = { select: [{ op: "star" }], from: source("project_logs", id), limit: 3 };
  const rows = byId(checkSpans(sentRows(id), await btql(query)));
  assert.equal(Object.keys(rows).length, 7);
  assert.deepEqual([rows[ids[0]].scores, rows[ids[0]].metadata], [{ s: 1, human: 0.5 }, { n: 0 }]);
  assert.deepEqual(rows[ids[1]].output, { changed: 1 });

  const again = initLogger({ projectName });
  again.log({ input: "later", output: 1 });
  await again.flush();
  assert.equal((await again.project).id, id);
  assert.equal((await btql(query)).length, 8);
}
