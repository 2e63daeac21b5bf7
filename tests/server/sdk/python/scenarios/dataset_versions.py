"""A pinned version of a dataset stays what it was, while others write."""

import threading

import braintrust

from support import check_rows, new_project, sent_rows


def run():
    project = new_project()
    dataset = braintrust.init_dataset(project, "versions")
    ids = [dataset.insert(input=n, expected=n, tags=["one"]) for n in range(200)]
    dataset.flush()
    first = dataset.version
    before = sent_rows(dataset.id)
    assert first == max(row["_xact_id"] for row in dataset)

    for n, id in enumerate(ids):
        if n % 4 == 0:
            dataset.update(id, expected="changed", tags=["two"])
        if n % 4 == 1:
            dataset.delete(id)
        if n % 4 == 2:
            dataset.insert(input="replaced", id=id)
    dataset.insert(input="late")
    dataset.flush()
    second = braintrust.init_dataset(project, "versions").version
    between = sent_rows(dataset.id)
    assert int(second) > int(first) and len(second) == len(first)

    stop = threading.Event()

    def write():
        for n in range(400):
            if stop.is_set():
                return
            dataset.insert(input={"written while reading": n}, id=f"while reading {n % 50}")
            dataset.update(ids[4], expected=n)
            dataset.flush()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for batch_size in [7, 33, 1000] * 2:
            pinned = braintrust.init_dataset(project, "versions", version=first)
            assert pinned.version == first
            check_rows(before, list(pinned.fetch(batch_size=batch_size)))
            pinned = braintrust.init_dataset(project, "versions", version=int(second))
            check_rows(between, list(pinned.fetch(batch_size=batch_size)))
            # Unpinned pages are of one moment too.
            read = [row["id"] for row in braintrust.init_dataset(project, "versions").fetch(batch_size=batch_size)]
            assert len(set(read)) == len(read) and between.keys() <= set(read)
    finally:
        stop.set()
        writer.join()
    check_rows(sent_rows(dataset.id), list(braintrust.init_dataset(project, "versions")))
    filtered = braintrust.init_dataset(project, "versions", version=first, _internal_btql={
        "filter": {"op": "eq", "left": {"op": "ident", "name": ["expected"]}, "right": {"op": "literal", "value": 4}},
    })
    check_rows({ids[4]: before[ids[4]]}, list(filtered))
