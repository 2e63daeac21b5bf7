"""An experiment read as a dataset. The Python SDK finds roots only with legacy ids."""

import os

os.environ["BRAINTRUST_LEGACY_IDS"] = "true"

import braintrust

from support import check_experiment, new_project


def run():
    project = new_project()
    experiment = braintrust.init(project, experiment="source")
    for n in range(25):
        with experiment.start_span("root", input={"n": n}, metadata={"even": n % 2 == 0}, tags=[f"t{n % 3}"]) as root:
            root.start_span("child", input="not a record", output=n).end()
            root.log(output=n * 2, **({"expected": n} if n % 5 == 0 else {}))
    rows = {row["id"]: row for row in check_experiment(project, "source")}
    assert len(rows) == 50
    opened = braintrust.init(project, experiment="source", open=True)
    records = list(opened.as_dataset(batch_size=7))
    assert sorted(record["input"]["n"] for record in records) == list(range(25))
    for record in records:
        n, row = record["input"]["n"], rows[record["id"]]
        assert record["expected"] == (n if n % 5 == 0 else n * 2)
        assert record["tags"] == [f"t{n % 3}"] and record["metadata"] == {"even": n % 2 == 0}
        assert record["_xact_id"] == row["_xact_id"] and row["root_span_id"] == row["span_id"]
