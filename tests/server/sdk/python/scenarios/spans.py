"""Spans by hand: nested, by decorator, failing, updated later, continued elsewhere."""

import braintrust

from support import check_experiment, children, new_project, roots


@braintrust.traced
def outer(n, word="x"):
    return [inner(n + 1), word]


@braintrust.traced(name="renamed", type="tool")
def inner(n):
    braintrust.current_span().log(metadata={"inner": True}, metrics={"my.metric": n})
    return n * 2


@braintrust.traced
def failing():
    raise KeyError("no such 🗝")


def run():
    project = new_project()
    experiment = braintrust.init(project, experiment="spans")
    with experiment.start_span("root", input={"a": 1}) as root:
        root.log(metadata={"one": 1, "both": {"x": 1, "y": [1]}}, tags=["a"])
        outer(3, word="x")
        try:
            failing()
        except KeyError:
            pass
        with root.start_span("chain", type="task", span_attributes={"mine": {"k": [1]}}) as chain:
            link = chain.export()
            with chain.start_span("leaf", type="llm", input=[{"role": "user", "content": "hi"}]) as leaf:
                leaf.log(output="hello", metrics={"tokens": 3, "time_to_first_token": 0.125})
        braintrust.flush()
        root.log(metadata={"two": 2, "both": {"y": [2], "z": None}}, tags=["b", "a"], output=[1, 2])
        root.set_attributes(name="renamed root", type="review", span_attributes={"more": 1})
    with braintrust.start_span("elsewhere", parent=link) as elsewhere:
        elsewhere.log(output="continued")
    try:
        with experiment.start_span("broken root"):
            raise ValueError("the root has failed")
    except ValueError:
        pass

    rows = check_experiment(project, "spans")
    assert len(rows) == 8 and len(roots(rows)) == 2
    by_name = {row["span_attributes"]["name"]: row for row in rows}
    top = by_name["renamed root"]
    assert top["metadata"] == {"one": 1, "two": 2, "both": {"x": 1, "y": [2], "z": None}}
    assert top["tags"] == ["a", "b"] and top["span_attributes"]["type"] == "review"
    assert by_name["outer"]["input"] == {"n": 3, "word": "x"} and by_name["outer"]["output"] == [8, "x"]
    assert by_name["renamed"]["span_parents"] == [by_name["outer"]["span_id"]]
    assert by_name["renamed"]["metrics"]["my.metric"] == 4
    assert "no such 🗝" in by_name["failing"]["error"] and not top.get("error")
    assert "the root has failed" in by_name["broken root"]["error"]
    assert by_name["elsewhere"]["span_parents"] == [by_name["chain"]["span_id"]]
    assert {row["root_span_id"] for row in rows if row is not by_name["broken root"]} == {top["root_span_id"]}
    assert by_name["leaf"]["metrics"]["end"] >= by_name["leaf"]["metrics"]["start"] > 1.5e9

    # A flushed span is changed by its id and by what it exported.
    experiment.update_span(top["id"], output={"changed": True}, scores={"late": 0.5})
    braintrust.update_span(link, metadata={"by export": 1})
    rows = check_experiment(project, "spans")
    assert roots(rows) and len(rows) == 8
    by_id = {row["id"]: row for row in rows}
    assert by_id[top["id"]]["output"] == {"changed": True} and by_id[top["id"]]["scores"] == {"late": 0.5}
    assert children(rows, "chain")[0]["metadata"] == {"by export": 1}
