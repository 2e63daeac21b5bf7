// Filters on a dataset through _internal_btql: what matches is what a reader of the rows would pick.

import assert from "node:assert";
import { initDataset } from "braintrust";
import { all, checkRows, newProject, sentRows } from "../support.mjs";

const ident = (...name) => ({ op: "ident", name });
const compare = (op, name, value) => ({ op, left: ident(...name), right: { op: "literal", value } });
const split = (value) => compare("eq", ["metadata", "split"], value);

const FILTERS = [
  [split("test"), (m) => m.split === "test"],
  // A comparison with null is neither true nor false.
  [compare("ne", ["metadata", "split"], "test"), (m) => m.split && m.split !== "test"],
  [compare("ge", ["metadata", "n"], 25), (m) => m.n >= 25],
  [compare("lt", ["metadata", "n"], 5.5), (m) => m.n < 5.5],
  [compare("in", ["metadata", "split"], ["train", "dev"]), (m) => ["train", "dev"].includes(m.split)],
  [compare("eq", ["metadata", "flag"], false), (m) => m.flag === false],
  [compare("eq", ["metadata", "deep", "a.b"], 'it\'s "x"'), (m) => m.deep["a.b"] === 'it\'s "x"'],
  [{ op: "isnull", expr: ident("metadata", "split") }, (m) => !m.split],
  [{ op: "isnotnull", expr: ident("metadata", "split") }, (m) => m.split],
  [{ op: "and", children: [split("test"), compare("gt", ["metadata", "n"], 10)] }, (m) => m.split === "test" && m.n > 10],
  [{ op: "or", children: [compare("le", ["metadata", "n"], 1), compare("eq", ["input", "n"], 20)] }, (m) => m.n <= 1 || m.n === 20],
];

export async function run() {
  const project = newProject();
  const dataset = initDataset(project, { dataset: "filters" });
  for (let n = 0; n < 30; n++) {
    const metadata = { n, deep: { "a.b": n % 3 ? 'it\'s "x"' : "other" } };
    if (n % 4) metadata.split = ["train", "test", "dev"][(n % 4) - 1];
    if (n % 5 === 0) metadata.split = null;
    if (n % 2) metadata.flag = n % 3 === 0;
    dataset.insert({ input: { n }, expected: n, metadata });
  }
  await dataset.flush();
  const rows = sentRows(await dataset.id);
  const read = (_internal_btql, batchSize) => all(initDataset(project, { dataset: "filters", _internal_btql }).fetch({ batchSize }));

  for (const [filter, picks] of FILTERS) {
    const wanted = new Map([...rows].filter(([, row]) => picks(row.metadata)));
    assert(wanted.size > 0 && wanted.size < 30);
    try {
      checkRows(wanted, await read({ filter }, 3));
    } catch (error) {
      error.message = `filter ${JSON.stringify(filter)}: ${error.message}`;
      throw error;
    }
  }
  assert.equal((await read({ limit: 7 }, 3)).length, 7);
  assert.equal((await read({ limit: 4, filter: FILTERS[8][0] })).length, 4);
  assert.equal((await read({ limit: 100 }, 9)).length, 30);
  assert.deepEqual(await read({ filter: split("nobody") }), []);
}
