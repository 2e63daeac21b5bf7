// Feedback on rows that are stored: it merges, comments are no rows, its metadata stays out of the row.

import assert from "node:assert";
import { initExperiment } from "braintrust";
import { byId, checkExperiment, newProject } from "../support.mjs";

export async function run() {
  const project = newProject();
  const experiment = initExperiment(project, { experiment: "feedback" });
  const ids = [0, 1, 2, 3].map((n) =>
    experiment.log({ input: n, output: n, expected: "old", scores: { auto: 0.5 }, metadata: { kept: n }, tags: ["a", "b"] }),
  );
  await experiment.summarize();
  assert.equal((await checkExperiment(project, "feedback")).length, 4);

  const metadata = { user_id: "a person", kept: "not this" };
  experiment.logFeedback({ id: ids[0], scores: { human: 1, auto: 0.25 }, metadata, source: "app" });
  experiment.logFeedback({ id: ids[1], expected: { new: [1] }, comment: "better: ünï 🦊", metadata });
  experiment.logFeedback({ id: ids[2], comment: "only a comment" });
  experiment.logFeedback({ id: ids[3], tags: ["b", "c"], comment: "tagged", source: "api" });
  let rows = byId(await checkExperiment(project, "feedback"));
  assert.deepEqual(Object.keys(rows).sort(), [...ids].sort(), "a comment came back as a row");
  assert.deepEqual([rows[ids[0]].scores, rows[ids[0]].metadata], [{ auto: 0.25, human: 1 }, { kept: 0 }]);
  assert.deepEqual([rows[ids[1]].expected, rows[ids[1]].output], [{ new: [1] }, 1]);
  assert.equal(rows[ids[2]].expected, "old");
  assert.deepEqual(rows[ids[3]].tags, ["a", "b", "c"]);

  experiment.logFeedback({ id: ids[0], scores: { human: 0 } });
  experiment.logFeedback({ id: ids[3], tags: ["d"] });
  rows = byId(await checkExperiment(project, "feedback"));
  assert.deepEqual(rows[ids[0]].scores, { auto: 0.25, human: 0 });
  assert.deepEqual(rows[ids[3]].tags, ["a", "b", "c", "d"]);
  const { scores } = await experiment.summarize();
  assert.deepEqual([scores.auto.score, scores.human.score], [(0.25 + 0.5 * 3) / 4, 0]);

  const span = experiment.startSpan({ name: "span" });
  span.log({ output: 1 });
  span.logFeedback({ scores: { inside: 1 }, comment: "before it was flushed" });
  span.end();
  assert.equal((await checkExperiment(project, "feedback")).length, 5);
}
