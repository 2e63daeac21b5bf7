"""Filters on a dataset through _internal_btql: what matches is what a reader of the rows would pick."""

import braintrust

from support import check_rows, new_project, sent_rows


def ident(*path):
    return {"op": "ident", "name": list(path)}


def compare(op, path, value):
    return {"op": op, "left": ident(*path), "right": {"op": "literal", "value": value}}


FILTERS = [
    (compare("eq", ["metadata", "split"], "test"), lambda m: m.get("split") == "test"),
    # A comparison with null is neither true nor false.
    (compare("ne", ["metadata", "split"], "test"), lambda m: m.get("split") not in (None, "test")),
    (compare("ge", ["metadata", "n"], 25), lambda m: m["n"] >= 25),
    (compare("lt", ["metadata", "n"], 5.5), lambda m: m["n"] < 5.5),
    (compare("in", ["metadata", "split"], ["train", "dev"]), lambda m: m.get("split") in ("train", "dev")),
    (compare("eq", ["metadata", "flag"], False), lambda m: m.get("flag") is False),
    (compare("eq", ["metadata", "deep", "a.b"], 'it\'s "x"'), lambda m: m["deep"]["a.b"] == 'it\'s "x"'),
    ({"op": "isnull", "expr": ident("metadata", "split")}, lambda m: m.get("split") is None),
    ({"op": "isnotnull", "expr": ident("metadata", "split")}, lambda m: m.get("split") is not None),
    (
        {"op": "and", "children": [compare("eq", ["metadata", "split"], "test"), compare("gt", ["metadata", "n"], 10)]},
        lambda m: m.get("split") == "test" and m["n"] > 10,
    ),
    (
        {"op": "or", "children": [compare("le", ["metadata", "n"], 1), compare("eq", ["input", "n"], 20)]},
        lambda m: m["n"] <= 1 or m["n"] == 20,
    ),
]


def run():
    project = new_project()
    dataset = braintrust.init_dataset(project, "filters")
    for n in range(30):
        metadata = {"n": n, "deep": {"a.b": 'it\'s "x"' if n % 3 else "other"}}
        if n % 4:
            metadata["split"] = ["train", "test", "dev"][n % 4 - 1]
        if n % 5 == 0:
            metadata["split"] = None
        if n % 2:
            metadata["flag"] = n % 3 == 0
        dataset.insert(input={"n": n}, expected=n, metadata=metadata)
    dataset.flush()
    rows = sent_rows(dataset.id)

    def read(**query):
        return list(braintrust.init_dataset(project, "filters", _internal_btql=query))

    for number, (filter, picks) in enumerate(FILTERS):
        wanted = {id: row for id, row in rows.items() if picks(row["metadata"])}
        assert 0 < len(wanted) < 30
        try:
            check_rows(wanted, read(filter=filter))
        except AssertionError as failure:
            raise AssertionError(f"filter {number}, {filter}: {failure}") from None
    assert len(read(limit=7)) == 7
    assert len(read(limit=4, filter=FILTERS[8][0])) == 4
    assert len({row["id"] for row in read(limit=100)}) == 30
    assert read(filter=compare("eq", ["metadata", "split"], "nobody")) == []
