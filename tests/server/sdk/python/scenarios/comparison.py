"""What an experiment is compared with: by name, by id, an unknown name, the most recent, one given to summarize()."""

import braintrust
from braintrust import Eval

from support import check_experiment, check_summary, get, new_project


def evaluate(project, name, quality, **more):
    return Eval(
        project, data=[{"input": n, "expected": n} for n in range(4)], task=lambda n: n * quality,
        scores=[lambda_score], experiment_name=name, **more,
    ).summary


def lambda_score(input, output):
    return output / 8


def run():
    project = new_project()
    first = evaluate(project, "first", 1)
    rows = {"first": check_experiment(project, "first")}
    check_summary(first, rows["first"])
    evaluate(project, "second", 2)
    rows["second"] = check_experiment(project, "second")

    def check(name, base, **more):
        summary = evaluate(project, name, 1.5, **more)
        rows[name] = check_experiment(project, name)
        check_summary(summary, rows[name], base, rows[base])
        return summary

    by_name = check("by name", "first", base_experiment_name="first")
    assert (by_name.scores["lambda_score"].improvements, by_name.scores["lambda_score"].regressions) == (3, 0)
    assert get(f"/v1/experiment/{by_name.experiment_id}").json()["base_exp_id"] == first.experiment_id
    check("by id", "first", base_experiment_id=first.experiment_id)
    check("most recent", "by id")
    check("unknown", "most recent", base_experiment_name="there is none of this name")

    # The stored base stays; an explicit comparison goes before it.
    by_hand = braintrust.init(project, experiment="by hand", base_experiment="first")
    for n in range(4):
        by_hand.log(input=n, output=n, scores={"lambda_score": n / 10})
    summary = by_hand.summarize()
    check_summary(summary, check_experiment(project, "by hand"), "first", rows["first"])
    second = braintrust.init(project, experiment="second", open=True)
    summary = by_hand.summarize(comparison_experiment_id=second.id)
    check_summary(summary, check_experiment(project, "by hand"), "second", rows["second"])
    silent = by_hand.summarize(summarize_scores=False)
    assert silent.comparison.status == "skipped" and silent.experiment_name == "by hand"
