"""Datasets: insert, replace, update, delete, fetch, count, open by name and by id."""

import braintrust

from support import check_link, check_rows, new_project, sent_rows


def read(project, **more):
    braintrust.flush()
    dataset = braintrust.init_dataset(project, "records", **more)
    return {row["id"]: row for row in check_rows(sent_rows(dataset.id), list(dataset))}


def run():
    project = new_project()
    dataset = braintrust.init_dataset(project, "records", description="für alle", metadata={"owner": "me"})
    ids = [
        dataset.insert(input={"n": n, "big": 2**70}, expected={"answer": n / 3}, tags=["a"], metadata={"n": n, "deep": {"x": 1, "y": 2}})
        for n in range(10)
    ]
    own = dataset.insert(input="mine", id="my own id 🦊")
    assert own == "my own id 🦊"
    rows = read(project)
    assert len(rows) == 11
    assert rows[own]["expected"] is None and rows[own]["dataset_id"] == dataset.id
    assert rows[ids[3]]["input"]["big"] == 2**70

    dataset.update(ids[0], expected="new", metadata={"deep": {"y": 3}}, tags=["b", "a"])
    dataset.update(ids[1], input="only the input")
    dataset.delete(ids[2])
    dataset.insert(input="replaced", id=own)
    rows = read(project)
    assert ids[2] not in rows and len(rows) == 10
    assert rows[ids[0]]["expected"] == "new" and rows[ids[0]]["tags"] == ["a", "b"]
    assert rows[ids[0]]["metadata"] == {"n": 0, "deep": {"x": 1, "y": 3}} and rows[ids[0]]["input"]["n"] == 0
    assert rows[ids[1]]["input"] == "only the input" and rows[ids[1]]["expected"] == {"answer": 1 / 3}
    assert rows[own]["input"] == "replaced"

    dataset.update("written by an update alone", input=1, expected=2)
    dataset.insert(input="again", id=ids[2])
    rows = read(project)
    assert rows["written by an update alone"]["expected"] == 2
    assert rows[ids[2]]["input"] == "again" and not rows[ids[2]].get("metadata")

    summary = dataset.summarize()
    assert summary.data_summary.total_records == 12, summary
    assert summary.dataset_name == "records" and summary.project_name == project
    check_link(summary.dataset_url, project, "datasets", "records")

    by_id = braintrust.init_dataset(dataset_id=dataset.id)
    assert by_id.name == "records" and by_id.project.name == project
    check_rows(sent_rows(dataset.id), list(by_id))
    again = braintrust.init_dataset(project, "records", description="another")
    assert again.id == dataset.id and again.data["description"] == "für alle"
    other = braintrust.init_dataset(project, "other records")
    assert other.id != dataset.id and list(other) == [] and other.summarize().data_summary.total_records == 0
