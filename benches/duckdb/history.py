#!/usr/bin/env python3
"""Questions over a large history, evalhouse and DuckDB side by side on the same Parquet files.

    python benches/duckdb/history.py --evalhouse target/release/evalhouse --work SCRATCH_DIR \\
        [--experiments 1000] [--cases 1000] [--trials 2] [--scores 10] [--runs 5] [--output FILE.md]

Makes the history once (about 0.8 GB of NDJSON at the defaults), imports it, and asks both engines
before and after `optimize`. What evalhouse is timed on is the whole answer: plan, scan, intervals,
change points, ranks. DuckDB is timed on SQL that gives the same means, standard errors and counts.
Answers are compared; exit 1 when they differ.
"""

import argparse
import json
import math
import subprocess
import sys
from pathlib import Path

from compare import active_files, duckdb_list, duckdb_queries, measure
from generate_history import write

TOLERANCE = 1e-9


def make_history(folder, options):
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(options.experiments):
        path = folder / f"run-{number:04}.jsonl"
        if not path.exists():
            write(path, number, options.cases, options.trials, options.scores, 1)


def questions(scores, metrics, last):
    """DuckDB's SQL for each question; `cases` is a view over the case files."""
    first = '"scores.s0"'
    reduced = ", ".join(f'avg("scores.s{i}") AS s{i}' for i in range(scores))
    over = ", ".join(f"avg(s{i}), stddev_samp(s{i}) / sqrt(count(s{i})), count(s{i})" for i in range(scores))
    by_case = f"SELECT experiment_id, comparison_key_hash, {reduced} FROM cases WHERE comparison_key_hash IS NOT NULL GROUP BY ALL"
    means = f"SELECT experiment_id, {over} FROM ({by_case}) GROUP BY ALL"
    costs = ", ".join(f'avg("metrics.{name}")' for name in metrics)
    values = ", ".join(f'avg("scores.s{i}"), count("scores.s{i}")' for i in range(scores))
    groups = f'SELECT experiment_id, "metadata.category", count(*), count(DISTINCT comparison_key_hash), {values}, {costs} FROM cases WHERE experiment_id = \'{last[1]}\' GROUP BY ALL'
    costs_named = ", ".join(f'avg("metrics.{name}") AS m{i}' for i, name in enumerate(metrics))

    def side(experiment):
        return (
            f"SELECT comparison_key_hash AS k, count(*) AS n, {reduced}, {costs_named} "
            f"FROM cases WHERE experiment_id = '{experiment}' GROUP BY ALL"
        )

    measures = [f"s{i}" for i in range(scores)] + [f"m{i}" for i in range(len(metrics))]
    compared = ", ".join(
        f"avg(c.{m} - b.{m}), stddev_samp(c.{m} - b.{m}), count(c.{m} - b.{m}), "
        f"count(*) FILTER (WHERE c.{m} - b.{m} > 1e-9), count(*) FILTER (WHERE c.{m} - b.{m} < -1e-9)"
        for m in measures
    )
    diff = f"SELECT count(*) FILTER (WHERE b.k IS NOT NULL AND c.k IS NOT NULL), {compared} FROM ({side(last[0])}) b FULL JOIN ({side(last[1])}) c ON b.k = c.k"
    rows = ", ".join(f'avg("scores.s{i}"), min("scores.s{i}"), max("scores.s{i}")' for i in range(scores))
    row_means = f"SELECT experiment_id, count(*), {rows}, {costs} FROM cases WHERE experiment_id IN ('{last[0]}', '{last[1]}') GROUP BY ALL"
    cost = f'SELECT experiment_id, avg("metrics.tokens") FROM cases GROUP BY ALL'
    return {
        "history": [means],
        "summary": [means, cost],
        "groups": [groups],
        "diff": [diff, row_means],
        "groups of all": [f'SELECT "metadata.category", count(*), count(DISTINCT comparison_key_hash), {values}, {costs} FROM cases GROUP BY ALL'],
    }, first


def duckdb(work, store, sql, runs):
    view = f"CREATE VIEW cases AS SELECT * FROM read_parquet({duckdb_list(active_files(store, 'is_root=true/'))}, union_by_name = true)"
    listed = [(f"{name}/{i}", text) for name, texts in sql.items() for i, text in enumerate(texts)]
    found = {}
    for answer in duckdb_queries(work, [view], listed, warmups=1, runs=runs):
        name = answer["name"].rsplit("/", 1)[0]
        entry = found.setdefault(name, {"ms": 0.0, "rows": []})
        entry["ms"] += answer["median_ms"]
        entry["rows"].append(answer["rows"])
    return found


def close(a, b):
    return a is not None and b is not None and math.isclose(float(a), float(b), rel_tol=TOLERANCE, abs_tol=TOLERANCE)


def check(ours, theirs, scores):
    """The same means and standard errors, experiment by experiment."""
    rows = {row[0]: row for row in theirs["history"]["rows"][0]}
    wrong = 0
    for i in range(scores):
        for point in ours["history"]["scores"][f"s{i}"]["points"]:
            row = rows[point["id"]]
            wrong += not (close(point["mean"], row[1 + 3 * i]) and close(point["se"], row[2 + 3 * i]))
    for row in ours["summary"]["rows"]:
        wrong += not close(row["mean"], rows[row["id"]][1])
    diff, counts = ours["diff"], theirs["diff"]["rows"][0][0]
    wrong += diff["counts"]["matched"] != int(counts[0])
    for i in range(scores):
        score = diff["scores"][f"s{i}"]
        delta, sd, n, up, down = counts[1 + 5 * i : 6 + 5 * i]
        wrong += not (close(score["delta_matched"], delta) and close(score["sd"], sd))
        wrong += (score["n"], score["improved"], score["regressed"]) != (int(n), int(up), int(down))
    by_category = {row[1]: row for row in theirs["groups"]["rows"][0]}
    for group in ours["groups"]["groups"]:
        row, member = by_category[group["values"][0]], group["experiments"][0]
        wrong += member["rows"] != int(row[2]) or member["cases"] != int(row[3])
        wrong += not close(member["scores"]["s0"]["value"], row[4])
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evalhouse", required=True)
    parser.add_argument("--work", type=Path, required=True)
    for name, default in [("experiments", 1000), ("cases", 1000), ("trials", 2), ("scores", 10), ("runs", 5)]:
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    size = f"{options.experiments}x{options.cases}x{options.trials}x{options.scores}"
    folder, store = options.work / f"history-{size}", options.work / f"history-store-{size}"
    program = [options.evalhouse, "--store", str(store), "--quiet"]
    if not store.exists():
        make_history(folder, options)
        done = measure([*program, "import", str(folder), "--project", "history"])
        print(f"imported in {done['wall']:.0f} s, peak {done['rss']:.0f} MiB")
    listed = json.loads(measure([*program, "experiments", "--format", "json"])["printed"])["experiments"]
    by_name = {row["experiment"]: row["id"] for row in listed}
    names = sorted(by_name)[-2:]
    last = [by_name[name] for name in names]
    metrics = ["duration", "errors", "llm_errors", "tokens", "tool_errors"]
    lines, wrong = [], 0
    for state in ["as imported", "after optimize"]:
        if state == "after optimize":
            done = measure([*program, "optimize"])
            print(f"optimized in {done['wall']:.0f} s, peak {done['rss']:.0f} MiB")
            subprocess.run([*program, "vacuum", "--retain", "0s", "--force"], check=True)
        run = measure([*program, "bench-analyses", "history", *names, "--runs", str(options.runs)])
        ours = json.loads(run["printed"])
        metrics = sorted(ours["answers"]["diff"]["metrics"])
        sql, _ = questions(options.scores, metrics, last)
        theirs = duckdb(options.work, store, sql, options.runs)
        wrong += check(ours["answers"], theirs, options.scores)
        ratios = []
        for name in ours["times"]:
            ratio = ours["times"][name] / theirs[name]["ms"]
            ratios.append(ratio)
            lines.append(f"| {state} | {name} | {ours['times'][name]:.0f} | {theirs[name]['ms']:.0f} | {ratio:.2f} |")
        mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
        lines.append(f"| {state} | geometric mean | | | **{mean:.2f}** |")
        lines.append(f"| {state} | peak memory | {run['rss']:.0f} MiB | | |")
    table = "\n".join(["| store | question | evalhouse ms | DuckDB ms | ratio |", "| --- | --- | ---: | ---: | ---: |", *lines])
    print(table)
    print("answers equal" if wrong == 0 else f"{wrong} answers differ")
    if options.output:
        title = f"# A history of {options.experiments} experiments × {options.cases} cases × {options.trials} trials × {options.scores} scores\n\n"
        note = "\n\nMade by `python benches/duckdb/history.py`; see its head for what is measured. Times are medians in one process with warm caches.\n"
        options.output.write_text(title + table + note)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
