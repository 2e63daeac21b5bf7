"""Eval() twice in one project: trials, every kind of scorer, a task that raises, tokens, the summary."""

import time

from braintrust import Eval, current_span, start_span
from braintrust.score import Score

from support import check_experiment, check_link, check_summary, children, new_project, roots

CASES = [
    {"input": {"question": "2 + 2"}, "expected": "4", "metadata": {"level": 1}, "tags": ["easy"]},
    {"input": {"question": "2 * 21"}, "expected": "42", "metadata": {"level": 2}},
    {"input": {"question": "naïve 🦊"}, "expected": "yes", "tags": ["hard", "text"]},
    {"input": {"question": "raise"}, "expected": None},
]


def task(run):
    def answer(input, hooks):
        with start_span("model", type="llm", input=input) as span:
            time.sleep(0.001 if run else 0.02)
            span.log(
                output="42",
                metadata={"model": "small"},
                metrics={"prompt_tokens": 10 + run, "completion_tokens": 5, "estimated_cost": 0.25, "prompt_cached_tokens": 3},
            )
        if input["question"] == "raise":
            raise RuntimeError("the task has failed")
        hooks.metadata["trial"] = hooks.trial_index
        hooks.span.log(metrics={"prompt_tokens": 1000}, metadata={"run": run})
        return {"text": "42" if run else "4", "trial": hooks.trial_index}

    return answer


def exact(output, expected):
    return output["text"] == expected


def by_trial(input, output):
    return [0, 0.25, 1][output["trial"]] if "21" in input["question"] else 0.5


def nothing():
    return None


def sometimes(input):
    return None if "🦊" in input["question"] else 1


def broken(input):
    if "21" in input["question"]:
        raise ValueError("the scorer has failed")
    return 0.75


def several(output):
    return [
        Score(name="length", score=len(output["text"]) / 4, metadata={"chars": len(output["text"])}),
        Score(name="empty", score=None),
        Score(name="fine", score=1),
    ]


def judge(output):
    with current_span().start_span("judge model", type="llm") as span:
        span.log(metrics={"prompt_tokens": 7777, "completion_tokens": 7777, "estimated_cost": 99})
    return Score(name="judged", score=0.125, metadata={"why": "so"})


def evaluate(project, run):
    return Eval(
        project,
        data=CASES,
        task=task(run),
        scores=[exact, by_trial, nothing, sometimes, broken, several, judge],
        experiment_name=f"run {run}",
        trial_count=3,
        metadata={"run": run},
        max_concurrency=4,
    )


def run():
    project = new_project()
    first = evaluate(project, 0)
    assert len(first.results) == 12
    base = check_experiment(project, "run 0")
    assert len(roots(base)) == 12
    assert len(children(base, "several")) == 9
    assert all(span["scores"] == {"nothing": None} for span in children(base, "nothing"))
    failed = [row for row in roots(base) if row["input"] == {"question": "raise"}]
    assert len(failed) == 3 and all("the task has failed" in row["error"] for row in failed)
    check_summary(first.summary, base)
    assert abs(first.summary.scores["by_trial"].score - (0.5 * 6 + 1.25) / 9) < 1e-12
    assert "nothing" not in first.summary.scores and "empty" not in first.summary.scores
    assert first.summary.metrics["prompt_tokens"].metric == 10

    second = evaluate(project, 1)
    rows = check_experiment(project, "run 1")
    check_summary(second.summary, rows, "run 0", base)
    exactly = second.summary.scores["exact"]
    assert (exactly.improvements, exactly.regressions) == (1, 1)
    duration = second.summary.metrics["duration"]
    assert duration.diff < 0 and duration.improvements >= 3, duration
    tokens = second.summary.metrics["prompt_tokens"]
    assert (tokens.diff, tokens.improvements, tokens.regressions) == (1, 0, 4), tokens
    check_link(second.summary.experiment_url, project, "experiments", "run 1")
