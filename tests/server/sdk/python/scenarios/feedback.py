"""Feedback on rows that are stored: it merges, comments are no rows, its metadata stays out of the row."""

import braintrust

from support import check_experiment, new_project


def run():
    project = new_project()
    experiment = braintrust.init(project, experiment="feedback")
    ids = [
        experiment.log(input=n, output=n, expected="old", scores={"auto": 0.5}, metadata={"kept": n}, tags=["a", "b"])
        for n in range(4)
    ]
    experiment.summarize()
    assert len(check_experiment(project, "feedback")) == 4

    who = {"user_id": "a person", "kept": "not this"}
    experiment.log_feedback(ids[0], scores={"human": 1, "auto": 0.25}, metadata=who, source="app")
    experiment.log_feedback(ids[1], expected={"new": [1]}, comment="better: ünï 🦊", metadata=who)
    experiment.log_feedback(ids[2], comment="only a comment")
    experiment.log_feedback(ids[3], tags=["b", "c"], comment="tagged", source="api")
    rows = {row["id"]: row for row in check_experiment(project, "feedback")}
    assert rows.keys() == set(ids), "a comment came back as a row"
    assert rows[ids[0]]["scores"] == {"auto": 0.25, "human": 1} and rows[ids[0]]["metadata"] == {"kept": 0}
    assert rows[ids[1]]["expected"] == {"new": [1]} and rows[ids[1]]["output"] == 1
    assert rows[ids[3]]["tags"] == ["a", "b", "c"]
    assert rows[ids[2]]["expected"] == "old"

    experiment.log_feedback(ids[0], scores={"human": 0})
    experiment.log_feedback(ids[3], tags=["d"])
    rows = {row["id"]: row for row in check_experiment(project, "feedback")}
    assert rows[ids[0]]["scores"] == {"auto": 0.25, "human": 0}
    assert rows[ids[3]]["tags"] == ["a", "b", "c", "d"]
    summary = experiment.summarize()
    assert summary.scores["auto"].score == (0.25 + 0.5 * 3) / 4 and summary.scores["human"].score == 0

    with experiment.start_span("span") as span:
        span.log(output=1)
        span.log_feedback(scores={"inside": 1}, comment="before it was flushed")
    assert len(check_experiment(project, "feedback")) == 5
