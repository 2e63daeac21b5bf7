// bt, the program inside the JavaScript package: lists, and SQL.

import assert from "node:assert";
import { initDataset, initExperiment } from "braintrust";
import { newProject } from "../support.mjs";
import { command } from "../command.mjs";

async function bt(...words) {
  const { stdout } = await command("bt", [...words, "--json", "--no-input"]);
  return JSON.parse(stdout);
}

export async function run() {
  const project = newProject("bt");
  const experiment = initExperiment(project, { experiment: "listed experiment" });
  for (let n = 0; n < 10; n++) experiment.log({ input: { n }, output: n * 2, scores: { s: n / 10 }, metadata: { half: n < 5 } });
  const dataset = initDataset(project, { dataset: "listed dataset" });
  dataset.insert({ input: 1 });
  await experiment.flush();
  const names = (list) => list.map(({ name }) => name);

  assert(names(await bt("projects", "list")).includes(project));
  assert.deepEqual(names(await bt("experiments", "list", "-p", project)), ["listed experiment"]);
  assert.deepEqual(names(await bt("datasets", "list", "-p", project)), ["listed dataset"]);

  const from = `experiment('${await experiment.id}')`;
  const sql = async (query) => (await bt("sql", "--non-interactive", query)).data;
  const grouped = await sql(`SELECT metadata.half AS half, count(1) AS n, avg(scores.s) AS mean FROM ${from} GROUP BY 1 ORDER BY mean`);
  assert.deepEqual(grouped.map(({ half, n }) => [half, n]), [[true, 5], [false, 5]]);
  assert(Math.abs(grouped[0].mean - 0.2) < 1e-12 && Math.abs(grouped[1].mean - 0.7) < 1e-12);
  const some = await sql(`SELECT input.n AS n, output FROM ${from} WHERE output > 12 ORDER BY n DESC LIMIT 2`);
  assert.deepEqual(some, [{ n: 9, output: 18 }, { n: 8, output: 16 }]);
  const lines = await sql(`select: output | from: ${from} | filter: metadata.half = true and output >= 6 | sort: output asc`);
  assert.deepEqual(lines, [{ output: 6 }, { output: 8 }]);
}
