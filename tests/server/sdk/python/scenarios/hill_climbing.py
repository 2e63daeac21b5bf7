"""Eval on the cases of a base experiment, named and unnamed. The Python SDK needs legacy ids for it."""

import os

os.environ["BRAINTRUST_LEGACY_IDS"] = "true"

from braintrust import BaseExperiment, Eval

from support import check_experiment, check_summary, new_project, roots


def same(output, expected):
    return output == expected


def run():
    project = new_project()

    def evaluate(name, data, suffix):
        result = Eval(project, data=data, task=lambda text: text + suffix, scores=[same], experiment_name=name)
        return result.summary, check_experiment(project, name)

    cases = [{"input": "a", "expected": "a!", "tags": ["t"], "metadata": {"m": 1}}, {"input": "b"}, {"input": "c", "expected": "c!"}]
    _, first = evaluate("first", cases, "?")
    evaluate("second", cases[:2], "!")

    summary, rows = evaluate("named", BaseExperiment(name="first"), "?")
    assert {row["input"]: row["expected"] for row in roots(rows)} == {"a": "a!", "b": "b?", "c": "c!"}
    [a] = [row for row in roots(rows) if row["input"] == "a"]
    assert a["tags"] == ["t"] and a["metadata"] == {"m": 1}
    check_summary(summary, rows, "first", first)

    summary, rows = evaluate("unnamed", BaseExperiment(), "!")
    assert sorted(row["input"] for row in roots(rows)) == ["a", "b", "c"]
    check_summary(summary, rows, "named", check_experiment(project, "named"))
    assert summary.scores["same"].improvements == 2 and summary.scores["same"].regressions == 1
