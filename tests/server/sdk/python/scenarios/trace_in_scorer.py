"""A scorer reads the spans of its trace from the server.

The SDK's own cache is left out: its threads share a list without a lock, and it loses spans now and then.
"""

import braintrust
from braintrust import Eval

from support import check_experiment, new_project

SEEN = []


def task(input):
    for n in range(input):
        with braintrust.start_span(f"model {n}", type="llm", metadata={"n": n, "deep": {"even": n % 2 == 0}}) as span:
            span.log(output=n)
    try:
        with braintrust.start_span("tool", type="tool"):
            raise RuntimeError("tool failed")
    except RuntimeError:
        pass
    return input


async def reads(input, trace):
    def names(spans):
        return sorted(span.span_attributes["name"] for span in spans)

    models = sorted(f"model {n}" for n in range(input))
    everything = await trace.get_spans()
    assert set(names(everything)) - {"eval"} == {"task", "tool", *models}, names(everything)
    assert names(await trace.get_spans(["llm"])) == models
    assert names(await trace.get_spans(["llm", "tool"])) == sorted([*models, "tool"])
    assert names(await trace.get_spans(filters={"name": ["model 1", "nobody"]})) == ["model 1"]
    assert names(await trace.get_spans(filters={"has_error": True})) == ["tool"]
    assert names(await trace.get_spans(filters={"metadata": {"deep": {"even": True}}})) == models[::2]
    assert names(await trace.get_spans(filters={"metadata": {"n": 1}, "span_type": ["llm"]})) == ["model 1"]
    assert names(await trace.get_spans(filters={"duration": {"min": 100}})) == []
    assert names(await trace.get_spans(filters={"span_type": ["llm"], "duration": {"min": 0, "max": 100}})) == models
    [tool] = await trace.get_spans(["tool"])
    assert "tool failed" in tool.error
    SEEN.append(input)
    return 1


def run():
    project = new_project()
    result = Eval(project, data=[{"input": n} for n in (2, 3, 4)], task=task, scores=[reads], experiment_name="e", enable_cache=False)
    assert sorted(SEEN) == [2, 3, 4], [case.metadata for case in result.results]
    assert result.summary.scores["reads"].score == 1
    check_experiment(project, "e")
