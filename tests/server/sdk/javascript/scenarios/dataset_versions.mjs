// A pinned version of a dataset stays what it was, while others write between its pages.

import assert from "node:assert";
import { initDataset } from "braintrust";
import { all, checkRows, newProject, sentRows } from "../support.mjs";

export async function run() {
  const project = newProject();
  const open = (more) => initDataset(project, { dataset: "versions", ...more });
  const dataset = open();
  const ids = Array.from({ length: 200 }, (_, n) => dataset.insert({ input: n, expected: n, tags: ["one"] }));
  await dataset.flush();
  const id = await dataset.id;
  const first = await open().version();
  const before = sentRows(id);

  ids.forEach((id, n) => {
    if (n % 4 === 0) dataset.update({ id, expected: "changed", tags: ["two"] });
    if (n % 4 === 1) dataset.delete(id);
    if (n % 4 === 2) dataset.insert({ input: "replaced", id });
  });
  dataset.insert({ input: "late" });
  await dataset.flush();
  const second = await open().version();
  const between = sentRows(id);
  assert(second > first && second.length === first.length);

  /** Reads page by page, and writes after every page. */
  async function read(version, batchSize) {
    const rows = [];
    for await (const row of open({ version }).fetch({ batchSize })) {
      rows.push(row);
      if (rows.length % batchSize === 0) {
        dataset.insert({ input: "while reading", id: `while reading ${rows.length}` });
        dataset.update({ id: ids[4], expected: rows.length });
        await dataset.flush();
      }
    }
    return rows;
  }

  for (const batchSize of [7, 33, 1000]) {
    checkRows(before, await read(first, batchSize));
    checkRows(between, await read(second, batchSize));
    const now = sentRows(id);
    checkRows(now, await read(undefined, batchSize));
  }
  checkRows(sentRows(id), await all(open()));
  const filter = { op: "eq", left: { op: "ident", name: ["expected"] }, right: { op: "literal", value: 4 } };
  const filtered = await all(open({ version: first, _internal_btql: { filter } }));
  checkRows(new Map([[ids[4], before.get(ids[4])]]), filtered);
}
