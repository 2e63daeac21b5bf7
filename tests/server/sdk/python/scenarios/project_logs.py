"""init_logger: rows, spans, feedback and comments of a project's logs, read back by a query."""

import braintrust

from support import btql, check_spans, new_project, sent_rows, source


def run():
    project = new_project()
    logger = braintrust.init_logger(project)
    ids = [logger.log(input={"n": n}, output=n, scores={"s": n / 8}, metadata={"n": n}, tags=["t"]) for n in range(5)]
    with logger.start_span("request", type="task", input="in") as span:
        with span.start_span("model", type="llm") as model:
            model.log(output="out", metrics={"tokens": 5})
    logger.flush()
    logger.log_feedback(ids[0], scores={"s": 1, "human": 0.5}, comment="good", metadata={"user": 1})
    logger.update_span(ids[1], output={"changed": 1})
    logger.flush()
    project_id = logger.project.id
    query = {"select": [{"op": "star"}], "from": source("project_logs", project_id), "limit": 3}
    rows = {row["id"]: row for row in check_spans(sent_rows(project_id), btql(query))}
    assert len(rows) == 7
    assert rows[ids[0]]["scores"] == {"s": 1, "human": 0.5} and rows[ids[0]]["metadata"] == {"n": 0}
    assert rows[ids[1]]["output"] == {"changed": 1}

    again = braintrust.init_logger(project)
    again.log(input="later", output=1)
    again.flush()
    assert again.project.id == project_id
    assert len(btql(query)) == 8
