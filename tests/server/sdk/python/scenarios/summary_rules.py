"""The numbers of a summary, worked out by hand, of experiments logged by hand."""

import braintrust

from support import check_experiment, check_summary, new_project


def log(project, name, cases):
    """Each case is input, scores, seconds, tokens."""
    experiment = braintrust.init_experiment(project, name)
    for input, scores, seconds, tokens in cases:
        with experiment.start_span("case", type="eval", input=input, start_time=1000.0) as root:
            with root.start_span("task", type="task", start_time=1000.0) as task:
                model = task.start_span("model", type="llm", start_time=1000.25)
                model.log(metrics={"prompt_tokens": tokens, "completion_tokens": 10})
                model.end(1000.25 + seconds / 2)
                task.end(1000.0 + seconds)
            judge = root.start_span("judge", span_attributes={"type": "score", "purpose": "scorer"}, start_time=1100.0)
            judge.log(scores=scores)
            judge.end(1200.0)
            root.log(output="out")
            root.end(1300.0)
    return experiment


def run():
    project = new_project()
    base = log(project, "base", [
        ({"a": 1, "b": [1, 2]}, {"acc": 0.5, "tie": 0.5, "old": 1}, 2.0, 100),
        ({"a": 2}, {"acc": 1.0, "tie": 0.25, "half": 0.0}, 2.0, 100),
        ({"a": 3}, {"acc": 0.25, "tie": 1.0, "half": None}, 2.0, 100),
        ({"a": "only here"}, {"acc": 0.0, "tie": 0.0}, 50.0, 9000),
    ])
    summary = base.summarize()
    base_rows = check_experiment(project, "base")
    check_summary(summary, base_rows)
    assert summary.scores["acc"].score == 0.4375 and summary.scores["half"].score == 0

    now = log(project, "now", [
        ({"b": [1, 2], "a": 1}, {"acc": 1.0, "tie": 0.5, "new": 1}, 1.0, 150),  # the same input: keys have no order
        ({"a": 2}, {"acc": 0.5, "tie": 0.25, "half": None}, 1.5, 120),
        ({"a": 3}, {"acc": 1.0, "tie": 1.0, "half": 1.0}, 3.0, 50),
        ({"b": [2, 1], "a": 1}, {"acc": 0.0, "tie": 0.0}, 90.0, 9000),  # another input: lists have an order
    ])
    summary = now.summarize()
    rows = check_experiment(project, "now")
    check_summary(summary, rows, "base", base_rows)

    def entry(entries, name):
        got = entries[name]
        return getattr(got, "score", None) if hasattr(got, "score") else got.metric, got.diff, got.improvements, got.regressions

    tiny = 1e-9
    score, diff, better, worse = entry(summary.scores, "acc")
    assert score == 0.625 and abs(diff - (2.5 - 1.75) / 3) < tiny and (better, worse) == (2, 1)
    assert entry(summary.scores, "tie")[1:] == (0, 0, 0)
    # One side of each key is null: there is a difference of means, and no key that went up or down.
    assert entry(summary.scores, "half") == (1, 1, 0, 0)
    assert entry(summary.scores, "new") == (1, None, 0, 0)
    assert "old" not in summary.scores
    # Less is better: two cases are faster, two take more tokens.
    value, diff, better, worse = entry(summary.metrics, "duration")
    assert value == 23.875 and abs(diff - (5.5 / 3 - 2)) < tiny and (better, worse) == (2, 1)
    for name, mean in [("prompt_tokens", 2330), ("total_tokens", 2340)]:
        value, diff, better, worse = entry(summary.metrics, name)
        assert value == mean and abs(diff - 20 / 3) < tiny and (better, worse) == (1, 2)
    assert entry(summary.metrics, "completion_tokens") == (10, 0, 0, 0)

    # Nothing in common with the base: no difference.
    other = log(project, "other", [({"a": "elsewhere"}, {"acc": 1.0}, 1.0, 1)])
    summary = other.summarize()
    check_summary(summary, check_experiment(project, "other"), "now", rows)
    assert entry(summary.scores, "acc") == (1, None, 0, 0)

    # A span that has not ended does not stop the summary.
    running = other.start_span("still running", input=1, scores={"acc": 0})
    summary = other.summarize()
    assert summary.comparison.status == "success" and summary.scores["acc"].score == 0.5
    running.end()
    check_summary(other.summarize(), check_experiment(project, "other"), "now", rows)
