#!/usr/bin/env python3
"""One trace by its id out of millions of spans, through HTTP.

    python benches/server/trace.py [--evalhouse target/release/evalhouse] [--work DIR]
        [--spans 3000000] [--experiments 60] [--requests 500] [--optimize]

Fills a store by `evalhouse import` (one that is there is used again), starts a server over it, and opens random traces,
one after the other over one connection, in three ways: our own `…/traces/{case}`, the syntax tree that the SDKs send to
`/btql` for the spans of a trace, and the same question as a BTQL text. Every answer is looked at: the spans of that
trace, all of them. Prints a table; the exit status is 1 if an answer is wrong.
"""

import argparse
import json
import multiprocessing
import random
import shutil
import sys
import time

from common import SPANS_PER_TRACE, Client, Rows, Server, arguments, percentile, table


def write(job):
    """One experiment as a file; gives some of its traces."""
    path, traces, seed = job
    rows, some, draw = Rows(path.stem, seed), [], random.Random(seed)
    with open(path, "w") as file:
        for _ in range(traces):
            trace = rows.trace()
            if draw.random() < 0.02:
                some.append(json.loads(trace[0])["root_span_id"])
            file.write("\n".join(trace) + "\n")
    return [(path.stem, trace) for trace in some]


def fill(server, options, work):
    folder = work / "rows"
    folder.mkdir(parents=True)
    traces = options.spans // SPANS_PER_TRACE // options.experiments
    jobs = [(folder / f"run-{number:03}.jsonl", traces, number) for number in range(options.experiments)]
    with multiprocessing.Pool() as pool:
        some = sum(pool.map(write, jobs, chunksize=1), [])
    started = time.monotonic()
    server.run("import", str(folder), "--project", "traces")
    print(f"imported {traces * SPANS_PER_TRACE * options.experiments:,} spans in {time.monotonic() - started:.0f} s", file=sys.stderr)
    shutil.rmtree(folder)
    (work / "traces.json").write_text(json.dumps(some))


def tree(experiment, trace):
    """As the SDKs ask for the spans of a trace."""
    ident = {"op": "ident", "name": ["root_span_id"]}
    return {
        "query": {
            "select": [{"op": "star"}],
            "from": {"op": "function", "name": {"op": "ident", "name": ["experiment"]}, "args": [{"op": "literal", "value": experiment}]},
            "filter": {"op": "eq", "left": ident, "right": {"op": "literal", "value": trace}},
            "cursor": None, "limit": 1000,
        },
        "use_columnstore": False, "brainstore_realtime": True, "query_source": "js_sdk_object_fetcher_experiment",
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spans", type=int, default=3_000_000)
    parser.add_argument("--experiments", type=int, default=60)
    parser.add_argument("--requests", type=int, default=500)
    parser.add_argument("--optimize", action="store_true", help="optimize the store first")
    options = arguments(parser)
    work = options.work / f"trace-{options.spans}-{options.experiments}"
    server = Server(options.evalhouse, work / "store")
    if not (work / "traces.json").exists():
        shutil.rmtree(work, ignore_errors=True)
        fill(server, options, work)
    if options.optimize:
        server.run("optimize")
    draw = random.Random(7)
    some = json.loads((work / "traces.json").read_text())
    lines, wrong = [], 0
    with server:
        client = Client(server.port)
        ids = {row["experiment"]: row["id"] for row in client.json("GET", "/api/v1/experiments")["experiments"]}
        ways = {
            "GET /api/v1/experiments/{experiment}/traces/{case}": lambda e, t: ("GET", f"/api/v1/experiments/{e}/traces/{t}", None),
            "POST /btql, the SDKs' tree": lambda e, t: ("POST", "/btql", tree(e, t)),
            "POST /btql, text": lambda e, t: ("POST", "/btql", {"query": f"select: * | from: experiment('{e}') | filter: root_span_id = '{t}'"}),
        }
        for name, way in ways.items():
            times = []
            for experiment, trace in draw.choices(some, k=options.requests):
                request = way(ids[experiment], trace)
                started = time.perf_counter()
                answer = client.json(*request)
                times.append((time.perf_counter() - started) * 1000)
                spans = answer.get("data") or answer["spans"]
                wrong += len(spans) != SPANS_PER_TRACE or any(span.get("root_span_id", trace) != trace for span in spans)
            lines.append([name, options.requests, times[0], percentile(times, 0.5), percentile(times, 0.99), max(times)])
        print(table(["one trace", "requests", "first ms", "p50 ms", "p99 ms", "max ms"], lines))
        print(f"\n{options.spans:,} spans in {options.experiments} experiments{', optimized' if options.optimize else ''}; the server holds {server.rss():.0f} MiB.")
    print(f"{wrong} answers wrong" if wrong else "every answer has the spans of its trace")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
