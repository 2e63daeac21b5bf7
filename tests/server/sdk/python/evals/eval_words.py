"""Two evals for the command line; the project is CONFORMANCE_PROJECT."""

import os

from braintrust import Eval

PROJECT = os.environ["CONFORMANCE_PROJECT"]


def same_length(output, expected):
    return len(output) == len(expected)


def positive(output):
    return output > 0


Eval(
    PROJECT,
    experiment_name="words",
    data=[
        {"input": "pear", "expected": "PEAR", "metadata": {"kind": "fruit"}},
        {"input": "fig", "expected": "longer", "metadata": {"kind": "fruit"}},
        {"input": "oak", "expected": "OAK", "metadata": {"kind": "tree"}},
        {"input": "ash", "expected": "ASH"},
    ],
    task=lambda word: word.upper(),
    scores=[same_length],
)

Eval(PROJECT, experiment_name="numbers", data=[{"input": 1}, {"input": -1}], task=lambda n: n, scores=[positive])
