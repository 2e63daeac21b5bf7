#!/usr/bin/env python3
"""evalhouse and DuckDB side by side: same machine, same run, answers compared.

    python benches/duckdb/compare.py --evalhouse target/release/evalhouse \\
        --data DIR_OF_NDJSON_ZST --work SCRATCH_DIR [--runs 5] [--output docs/BENCHMARKS.md]

See README.md beside this file for what is measured and what is fair about it. Exit 1: answers
differ. `--parts abc` chooses: a import, b queries over Parquet, c the same over the raw JSON.
"""

import argparse
import json
import math
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from urllib.parse import unquote

from queries import FIELDS, read_json, written_for

HERE = Path(__file__).parent
# DuckDB stays out of this process: a child's peak memory starts at what its parent held.
WORKER = [sys.executable, str(HERE / "worker.py")]
TOLERANCE = 1e-9


# --- Processes -------------------------------------------------------------------------------


def measure(command):
    """Runs a command; its wall and CPU seconds, peak memory in MiB, and what it printed."""
    os.sync()
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    printed = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    if process.returncode != 0:
        sys.exit(f"failed with {process.returncode}: {' '.join(map(str, command))}")
    scale = 1024 if sys.platform == "linux" else 1024 * 1024
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "rss": usage.ru_maxrss / scale, "printed": printed}


def printed_json(command):
    return json.loads(measure(command)["printed"])


def median_of(runs, field):
    return statistics.median(run[field] for run in runs)


def size_of(path):
    files = [path] if path.is_file() else path.rglob("*.parquet")
    return sum(file.stat().st_size for file in files)


# --- The store's files -----------------------------------------------------------------------


def active_files(store, prefix):
    """The Parquet files that the table's newest version holds, from its log."""
    table = store / "spans"
    files = set()
    for entry in sorted((table / "_delta_log").glob("*.json")):
        for line in entry.read_text().splitlines():
            action = json.loads(line)
            if "add" in action:
                files.add(unquote(action["add"]["path"]))
            elif "remove" in action:
                files.discard(unquote(action["remove"]["path"]))
    return sorted(str(table / file) for file in files if file.startswith(prefix))


def duckdb_list(paths):
    return "[" + ", ".join("'" + path.replace("'", "''") + "'" for path in paths) + "]"


def store_setup(work, store):
    """The view over our case files; a field that no file has as a column comes from the JSON."""
    source = f"read_parquet({duckdb_list(active_files(store, 'is_root=true/'))}, union_by_name = true)"
    columns = {row[0] for row in duckdb_queries(work, [], [("columns", f"DESCRIBE SELECT * FROM {source}")])[0]["rows"]}
    missing = [field for field in FIELDS if field not in columns]
    if missing:
        print(f"note: not shredded, read from JSON: {', '.join(missing)}", file=sys.stderr)
    extra = "".join(f""", json_extract_string({f.split(".")[0]}, '$."{f.split(".", 1)[1]}"') AS "{f}" """ for f in missing)
    return [f"CREATE VIEW cases AS SELECT *{extra} FROM {source}"]


def duckdb_queries(work, setup, queries, warmups=0, runs=1):
    """Asks a DuckDB process; `queries` are dicts or (name, sql) pairs."""
    queries = [q if isinstance(q, dict) else {"name": q[0], "sql": q[1]} for q in queries]
    path = work / "duckdb-queries.json"
    path.write_text(json.dumps({"setup": setup, "queries": queries, "warmups": warmups, "runs": runs}))
    return printed_json([*WORKER, "queries", str(path)])


# --- Answers ---------------------------------------------------------------------------------


def normal(value):
    """Numbers as floats whatever their type was; all else as it is."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, (int, float)):
        return float(value)
    try:
        return float(value)
    except ValueError:
        return value


def sort_key(row):
    return [str(v) for v in row if not isinstance(v, float)] + [f"{v:.6g}" for v in row if isinstance(v, float)]


def equal(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return a == b or abs(a - b) <= TOLERANCE * max(abs(a), abs(b)) or (math.isnan(a) and math.isnan(b))
    return a == b


def difference(ours, theirs):
    """None if two answers are the same set of rows, else the first difference in words."""
    ours = sorted(([normal(v) for v in row] for row in ours), key=sort_key)
    theirs = sorted(([normal(v) for v in row] for row in theirs), key=sort_key)
    if len(ours) != len(theirs):
        return f"{len(ours)} rows against {len(theirs)}"
    for a, b in zip(ours, theirs):
        if len(a) != len(b) or not all(map(equal, a, b)):
            return f"{a} against {b}"
    return None


# --- The three parts -------------------------------------------------------------------------


def compare_import(options, store):
    """Part a: interleaved runs, each into an empty place."""
    glob = str(options.data / "*.ndjson.zst")
    for file in options.data.glob("*.ndjson.zst"):
        file.read_bytes()  # every run finds the files in the page cache
    targets = {"evalhouse": store}
    commands = {"evalhouse": [options.evalhouse, "--store", store, "--quiet", "import", options.data, "--project", "gsm"]}
    for compression, schema in [("zstd", "sniffed"), ("snappy", "sniffed"), ("zstd", "given")]:
        name = f"DuckDB, {compression}, schema {schema}"
        targets[name] = options.work / f"duckdb-{compression}-{schema}.parquet"
        commands[name] = [*WORKER, "import", glob, targets[name], compression, schema]
    measured = {name: [] for name in commands}
    for run in range(options.runs):
        for name, command in commands.items():
            clear(targets[name])
            result = measure(list(map(str, command)))
            measured[name].append(result)
            print(f"import {run + 1}/{options.runs} {name}: {result['wall']:.2f} s, CPU {result['cpu']:.2f} s, {result['rss']:.0f} MiB", file=sys.stderr)
    return {
        name: {
            **{field: median_of(runs, field) for field in ("wall", "cpu", "rss")},
            "best": min(run["wall"] for run in runs),
            "inner": statistics.median(json.loads(r["printed"])["inner_seconds"] for r in runs) if name != "evalhouse" else None,
            "bytes": size_of(targets[name]),
        }
        for name, runs in measured.items()
    }


def clear(path):
    if path.is_dir():
        shutil.rmtree(path)
    elif path.exists():
        path.unlink()


def compare_counts(options, store):
    """Both imports hold the same spans and cases."""
    ours = duckdb_list(active_files(store, "is_root="))
    count = "SELECT count(*), count(*) FILTER (CAST(is_root AS BOOLEAN)) FROM read_parquet({}, union_by_name = true, hive_partitioning = true)"
    theirs = duckdb_list([str(options.work / "duckdb-zstd-sniffed.parquet")])
    answers = duckdb_queries(options.work, [], [("evalhouse", count.format(ours)), ("duckdb", count.format(theirs))])
    return answers[0]["rows"][0], answers[1]["rows"][0]


def compare_queries(options, store, rounds=3):
    """Part b: warm in one process a side, sides taking turns; the median over the rounds."""
    path = options.work / "evalhouse-queries.json"
    path.write_text(json.dumps(written_for("evalhouse", options.base, options.candidate)))
    command = [options.evalhouse, "--store", store, "bench-queries", path, "--runs", options.query_runs, "--format", "json"]
    setup, queries = store_setup(options.work, store), written_for("duckdb", options.base, options.candidate)
    sides = {"evalhouse": [], "duckdb": []}
    for _ in range(rounds):
        sides["evalhouse"].append(printed_json(list(map(str, command))))
        sides["duckdb"].append(duckdb_queries(options.work, setup, queries, warmups=1, runs=options.query_runs))
    rows = []
    for position, query in enumerate(queries):
        ours, theirs = ([answer[position] for answer in sides[side]] for side in ("evalhouse", "duckdb"))
        rows.append({
            "name": query["name"],
            "evalhouse": median_of(ours, "median_ms"),
            "duckdb": median_of(theirs, "median_ms"),
            "evalhouse_min": min(answer["min_ms"] for answer in ours),
            "duckdb_min": min(answer["min_ms"] for answer in theirs),
            "rows": ours[0]["rows"],
            "difference": difference(ours[0]["rows"], theirs[0]["rows"]),
        })
    return rows


def raw_setup(options, store):
    """The same view over the raw files, named as the store names its experiments."""
    from_store = duckdb_queries(options.work, store_setup(options.work, store), [("names", "SELECT DISTINCT experiment FROM cases")])
    return raw_view(options.data, {row[0] for row in from_store[0]["rows"]})


def raw_view(data, known):
    listed = data / "experiments.json"
    names = {e["file"]: e["experiment"] for e in json.loads(listed.read_text())} if listed.exists() else {}
    pairs = []
    for file in sorted(data.glob("*.ndjson.zst")):
        stem = file.name.removesuffix(".ndjson.zst")
        name = stem if stem in known else names.get(file.name, stem)
        pairs.append("('{}', '{}')".format(str(file).replace("'", "''"), name.replace("'", "''")))
    fields = ", ".join(f'{field} AS "{field}"' for field in FIELDS)
    return [
        f"CREATE TABLE names AS SELECT * FROM (VALUES {', '.join(pairs)}) AS v (file, experiment)",
        f"CREATE VIEW cases AS SELECT names.experiment AS experiment, input AS comparison_key_hash, {fields} "
        f"FROM {read_json(data / '*.ndjson.zst')} AS raw JOIN names ON raw.filename = names.file WHERE is_root",
    ]


def compare_raw(options, store, warm):
    """Part c: what the questions cost without a store, once each."""
    answers = duckdb_queries(options.work, raw_setup(options, store), written_for("duckdb", options.base, options.candidate))
    return [
        {**row, "raw": answer["median_ms"], "difference": difference(row["rows"], answer["rows"])}
        for row, answer in zip(warm, answers)
    ]


# --- The report ------------------------------------------------------------------------------


def processor():
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def memory_gib():
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "| " + " | ".join(["---"] + ["---:"] * (len(header) - 1)) + " |"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def verdict(row):
    return "equal" if row["difference"] is None else "DIFFERENT: " + row["difference"]


def write_import(imported, counts, options):
    first = imported["evalhouse"]
    rows = [
        [
            name, f"{r['wall']:.2f}", f"{r['cpu']:.2f}", f"{r['rss']:.0f}", f"{r['bytes'] / 1e6:.1f}",
            f"{first['wall'] / r['wall']:.2f}", f"{first['cpu'] / r['cpu']:.2f}",
            "" if r["inner"] is None else f"{r['inner']:.2f}",
        ]
        for name, r in imported.items()
    ]
    header = ["", "wall s", "CPU s", "peak MiB", "Parquet MB", "wall, evalhouse ÷ this", "CPU, evalhouse ÷ this", "of it COPY s"]
    same = "the same" if counts[0] == counts[1] else "NOT the same"
    return [
        "## Import", "",
        f"A fresh process into an empty place, runs taking turns, medians of {options.runs}. DuckDB's process is Python; the last column is its COPY alone. "
        "DuckDB turns the lines into one Parquet file, with a schema that it sniffs or one that it is given (nested fields then stay JSON text). evalhouse also rolls every trace up into a case, hashes and ranks comparison keys, sorts, and commits a table.", "",
        table(header, rows), "",
        f"Spans and cases in both: {same} ({counts[0][0]:,} spans and {counts[0][1]:,} cases; DuckDB {counts[1][0]:,} and {counts[1][1]:,}).", "",
    ]


def write_queries(warm, options):
    rows = [
        [r["name"], f"{r['evalhouse']:.2f}", f"{r['duckdb']:.2f}", f"{r['evalhouse'] / r['duckdb']:.2f}", f"{r['evalhouse_min']:.2f}", f"{r['duckdb_min']:.2f}", verdict(r)]
        for r in warm
    ]
    mean = geometric_mean([r["evalhouse"] / r["duckdb"] for r in warm])
    lowest = geometric_mean([r["evalhouse_min"] / r["duckdb_min"] for r in warm])
    header = ["query", "evalhouse ms", "DuckDB ms", "ratio", "evalhouse best", "DuckDB best", "answers"]
    return [
        "## Questions, over the same Parquet files", "",
        f"Warm, one process a side, {options.query_runs} runs each after one to warm up, three rounds taking turns; median of the rounds' medians. Both read our files; below 1, evalhouse is faster.", "",
        table(header, rows), "",
        f"Geometric mean of the ratios: **{mean:.2f}** (of the best times: {lowest:.2f}).", "",
    ]


def write_raw(raw):
    rows = [[r["name"], f"{r['evalhouse']:.2f}", f"{r['raw']:.0f}", f"{r['raw'] / r['evalhouse']:.0f}", verdict(r)] for r in raw]
    mean = geometric_mean([r["raw"] / r["evalhouse"] for r in raw])
    return [
        "## The same questions without a store", "",
        "DuckDB over the compressed JSON lines, read for every question, once each.", "",
        table(["query", "evalhouse ms", "DuckDB on JSON ms", "times", "answers"], rows), "",
        f"Geometric mean: {mean:.0f} times.", "",
    ]


def main():
    options = parse_arguments()
    store = options.work / "store"
    load = os.getloadavg()[0]
    version = subprocess.run([options.evalhouse, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    duckdb_version = printed_json([*WORKER, "version"])
    report, failed = [], False
    if "a" in options.parts:
        imported = compare_import(options, store)
        counts = compare_counts(options, store)
        failed |= counts[0] != counts[1]
        report += write_import(imported, counts, options)
    if "b" in options.parts or "c" in options.parts:
        warm = compare_queries(options, store)
        failed |= any(row["difference"] for row in warm)
        report += write_queries(warm, options)
    if "c" in options.parts:
        raw = compare_raw(options, store, warm)
        failed |= any(row["difference"] for row in raw)
        report += write_raw(raw)
    files = list(options.data.glob("*.ndjson.zst"))
    head = [
        "# evalhouse and DuckDB", "",
        f"{date.today()}; {version}, DuckDB {duckdb_version} with {os.cpu_count()} threads, Python {platform.python_version()}; "
        f"{processor()}, {os.cpu_count()} cores, {memory_gib():.0f} GiB, {platform.system()}; load average at the start {load:.1f}. "
        f"Data: {options.data.name}, {len(files)} files, {sum(f.stat().st_size for f in files) / 1e6:.1f} MB compressed. Times are this machine's; ratios travel better.", "",
        f"    python benches/duckdb/compare.py --evalhouse target/release/evalhouse --data {options.data.name} --work SCRATCH --runs {options.runs} --query-runs {options.query_runs} --parts {options.parts}", "",
    ]
    text = "\n".join(head + report).rstrip() + "\n"
    print(text)
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(text)
    sys.exit(1 if failed else 0)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--evalhouse", required=True, type=Path, help="the binary")
    parser.add_argument("--data", required=True, type=Path, help="a folder of *.ndjson.zst")
    parser.add_argument("--work", required=True, type=Path, help="a scratch folder; store and Parquet files are written there")
    parser.add_argument("--runs", type=int, default=5, help="imports a side")
    parser.add_argument("--query-runs", type=int, default=20, help="runs of each query in a round")
    parser.add_argument("--base", default="gpt-4o-2024-08-06")
    parser.add_argument("--candidate", default="claude-3-5-sonnet-20241022")
    parser.add_argument("--parts", default="abc", help="which parts to run; b and c need the store that a leaves behind")
    parser.add_argument("--output", type=Path, help="write the report here as well")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    options.evalhouse, options.data = options.evalhouse.resolve(), options.data.resolve()
    return options


if __name__ == "__main__":
    main()
