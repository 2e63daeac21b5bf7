"""2,500 traces and 2,500 records in small pages: each row once, whole traces, pages that end."""

import braintrust
import requests

from support import APP_URL, HEADERS, check_rows, check_spans, new_project, sent_rows


def run():
    project = new_project()
    experiment = braintrust.init(project, experiment="many")
    for n in range(2500):
        with experiment.start_span("root", input=n) as root:
            if n % 10 == 0:
                root.start_span("child", output=n).end()
    dataset = braintrust.init_dataset(project, "many")
    for n in range(2500):
        dataset.insert(input=n, expected=n)
    braintrust.flush()
    for batch_size in [41, 1000]:
        opened = braintrust.init(project, experiment="many", open=True)
        assert len(check_spans(sent_rows(experiment.id), list(opened.fetch(batch_size=batch_size)))) == 2750
        opened = braintrust.init_dataset(project, "many")
        check_rows(sent_rows(dataset.id), list(opened.fetch(batch_size=batch_size)))
    everything = braintrust.init_dataset(project, "many", _internal_btql={"filter": {"op": "isnotnull", "expr": {"op": "ident", "name": ["input"]}}})
    check_rows(sent_rows(dataset.id), list(everything.fetch(batch_size=99)))

    # A page holds whole traces, as many as asked for; writes in between change no page that follows.
    seen, cursor, pages = [], None, 0
    while True:
        answer = requests.post(
            f"{APP_URL}/v1/experiment/{experiment.id}/fetch", json={"limit": 100, "cursor": cursor}, headers=HEADERS, timeout=60
        )
        assert answer.status_code == 200, answer.text
        answer = answer.json()
        traces = {row["root_span_id"] for row in answer["events"]}
        assert len(traces) <= 100 and not traces & {row["root_span_id"] for row in seen}
        seen += answer["events"]
        cursor, pages = answer.get("cursor"), pages + 1
        if pages == 3:
            before = sent_rows(experiment.id)
            experiment.update_span(seen[0]["id"], output="changed while paging")
            with experiment.start_span("written while paging"):
                pass
            braintrust.flush()
        if not cursor:
            break
    check_spans(before, seen)
    assert 25 <= pages <= 27, pages
