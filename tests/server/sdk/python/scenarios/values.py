"""Any JSON comes back as it was sent, a row of 5 MB too."""

import braintrust

from support import check_experiment, difference, new_project

NESTED = "the bottom"
for level in range(100):
    NESTED = {"deeper": NESTED} if level % 2 else [NESTED]

VALUES = {
    "integers": [0, -1, 2**31, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**64, 2**70, -(2**70), 10**100],
    "floats": [0.1, 1 / 3, 1e-300, 1.7976931348623157e308, 5e-324, -2.5, 100.0, 123456789.123456789, 1e22],
    "texts": ["", " ", "naïve", "日本語", "🦊👩‍👩‍👧", "é", "e\u0301", "\u202eback", "a\tb\nc\r\u0001\u007f\u2028", "\\\"'`${}", "null", "1", "NaN"],
    "null byte": "a\u0000b",
    "nested": NESTED,
    "lists": [[], [[]], [{}], [None], [1, "1", 1.5, True, None, [1], {"a": 1}]],
    "keys": {
        "": "empty", " ": 1, "a.b": 2, "a": {"b": 3}, 'say "hi"': 4, "it's": 5, "a\nb": 6, "ключ 🗝": 7, "[0]": 8, "$": 9,
        "a.": 10, ".a": 11, "A": 12, "id": 13, "_xact_id": 14, "__proto__": 15, "null": None, "back\\slash": 16,
        "x" * 1000: 17,
    },
    "many keys": {f"key {n}": n for n in range(10_000)},
    "one": 1, "true": True, "false": False, "nothing": None, "no list": [], "no keys": {},
}


def run():
    project = new_project()
    experiment = braintrust.init(project, experiment="values")
    sent = {}

    def log(**event):
        with experiment.start_span() as span:
            span.log(**event)
        return span.id

    for name, value in VALUES.items():
        sent[log(input={name: value}, output=value, expected=value, metadata={"value": value, name: 1})] = value
    # The SDK turns these three into texts.
    sent[log(input="odd", output=[float("nan"), float("inf"), -float("inf")])] = ["NaN", "Infinity", "-Infinity"]
    scored = log(
        input="scores", scores={"a.b": 0, 'c"d': 1, "": 0.5, "yes": True, "none": None, "third": 1 / 3},
        metrics={"a.b": 1, "tokens": 12, "start": 1700000000.123456, "end": 1700000001.654321, "small": 1e-9},
        tags=["a,b", "", "🦊", "it's"], error="broken: ünïcode",
    )
    big = log(input={"size": 5}, output="héllo 🦊 " * 250_000)
    chosen = experiment.start_span(id="an id/with ?#% 🦊 and \"quotes\"", input=1)
    chosen.end()
    rows = {row["id"]: row for row in check_experiment(project, "values")}
    for id, value in sent.items():
        found = difference(value, rows[id].get("output"), "output")
        assert found is None, found
    assert rows[scored]["metrics"]["start"] == 1700000000.123456
    assert rows[scored]["scores"]["third"] == 1 / 3
    assert len(rows[big]["output"]) == 9 * 250_000 - 250_000
    assert chosen.id in rows
