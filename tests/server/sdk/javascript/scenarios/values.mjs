// Any JSON comes back as it was sent, a row of 5 MB too.

import { initExperiment } from "braintrust";
import assert from "node:assert";
import { byId, checkExperiment, difference, newProject } from "../support.mjs";

let nested = "the bottom";
for (let level = 0; level < 100; level++) nested = level % 2 ? { deeper: nested } : [nested];

const VALUES = {
  numbers: [0, -1, 2 ** 31, 2 ** 53, 2 ** 63, 2 ** 70, 1e100, 0.1, 1 / 3, 1e-300, Number.MAX_VALUE, Number.MIN_VALUE, 123456789.123456789],
  texts: ["", " ", "naïve", "日本語", "🦊👩‍👩‍👧", "e\u0301", "\u202eback", "a\tb\nc\r\u0001\u007f\u2028", "\\\"'`${}", "null", "1"],
  "null byte": "a\u0000b",
  nested,
  lists: [[], [[]], [{}], [null], [1, "1", 1.5, true, null, [1], { a: 1 }]],
  keys: {
    "": "empty", " ": 1, "a.b": 2, a: { b: 3 }, 'say "hi"': 4, "it's": 5, "a\nb": 6, "ключ 🗝": 7, "[0]": 8, $: 9,
    "a.": 10, ".a": 11, A: 12, id: 13, _xact_id: 14, null: null, "back\\slash": 16, ["x".repeat(1000)]: 17,
  },
  "many keys": Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`key ${n}`, n])),
  one: 1, true: true, false: false, nothing: null, "no list": [], "no keys": {},
};

export async function run() {
  const project = newProject();
  const experiment = initExperiment(project, { experiment: "values" });
  const sent = new Map();
  function log(event) {
    const span = experiment.startSpan({ event });
    span.end();
    return span.id;
  }
  for (const [name, value] of Object.entries(VALUES)) {
    sent.set(log({ input: { [name]: value }, output: value, expected: value, metadata: { value, [name]: 1 } }), value);
  }
  // The SDK turns these into null.
  sent.set(log({ input: "odd", output: [NaN, Infinity, -Infinity] }), [null, null, null]);
  log({
    input: "scores",
    scores: { "a.b": 0, 'c"d': 1, "": 0.5, none: null, third: 1 / 3 },
    metrics: { "a.b": 1, tokens: 12, small: 1e-9 },
    tags: ["a,b", "", "🦊", "it's"],
    error: "broken: ünïcode",
  });
  const big = log({ input: { size: 5 }, output: "héllo 🦊 ".repeat(450_000) });
  const chosen = log({ input: 1, output: 1, id: 'an id/with ?#% 🦊 and "quotes"' });
  const rows = byId(await checkExperiment(project, "values"));
  for (const [id, value] of sent) assert.equal(difference(value, rows[id].output ?? null, "output"), null);
  assert.equal(rows[big].output.length, 9 * 450_000);
  assert(chosen in rows);
}
