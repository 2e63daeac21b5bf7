// Two evals for the command line; the project is CONFORMANCE_PROJECT.

import { Eval } from "braintrust";

const project = process.env.CONFORMANCE_PROJECT;

function same_length({ output, expected }) {
  return output.length === expected.length ? 1 : 0;
}

function positive({ output }) {
  return output > 0 ? 1 : 0;
}

Eval(project, {
  experimentName: "words",
  data: () => [
    { input: "pear", expected: "PEAR", metadata: { kind: "fruit" } },
    { input: "fig", expected: "longer", metadata: { kind: "fruit" } },
    { input: "oak", expected: "OAK", metadata: { kind: "tree" } },
    { input: "ash", expected: "ASH" },
  ],
  task: (word) => word.toUpperCase(),
  scores: [same_length],
});

Eval(project, {
  experimentName: "numbers",
  data: () => [{ input: 1 }, { input: -1 }],
  task: (n) => n,
  scores: [positive],
});
