"""Eval over a dataset: every case links to its record, the experiment to the version."""

import braintrust
from braintrust import Eval

from support import check_experiment, check_summary, get, new_project, roots


def right(output, expected):
    return output == expected


def run():
    project = new_project()
    dataset = braintrust.init_dataset(project, "cases")
    for n in range(6):
        dataset.insert(input={"n": n}, expected=n * 2, tags=["t"], metadata={"n": n}, id=f"case {n}")
    dataset.flush()
    version = braintrust.init_dataset(project, "cases").version

    def evaluate(name, data):
        return Eval(
            project, data=data, task=lambda input: input["n"] * 2 if input["n"] != 3 else None, scores=[right],
            experiment_name=name, trial_count=2,
        )

    result = evaluate("on a dataset", braintrust.init_dataset(project, "cases"))
    rows = check_experiment(project, "on a dataset")
    check_summary(result.summary, rows)
    assert result.summary.scores["right"].score == 10 / 12
    records = {record["id"]: record for record in braintrust.init_dataset(project, "cases")}
    assert len(roots(rows)) == 12
    for row in roots(rows):
        record = records[row["origin"]["id"]]
        assert row["input"] == record["input"] and row["expected"] == record["expected"]
        assert row["origin"] == {
            "object_type": "dataset", "object_id": dataset.id, "id": record["id"],
            "_xact_id": record["_xact_id"], "created": record["created"],
        }
    stored = get(f"/v1/experiment/{result.summary.experiment_id}").json()
    assert stored["dataset_id"] == dataset.id and stored["dataset_version"] == version, stored

    dataset.insert(input={"n": 100}, expected=0)
    dataset.flush()
    pinned = evaluate("pinned", braintrust.init_dataset(project, "cases", version=version))
    assert len(pinned.results) == 12
    stored = get(f"/v1/experiment/{pinned.summary.experiment_id}").json()
    assert stored["dataset_version"] == version
    latest = evaluate("latest", braintrust.init_dataset(project, "cases"))
    assert len(latest.results) == 14
    check_summary(latest.summary, check_experiment(project, "latest"), "pinned", check_experiment(project, "pinned"))
