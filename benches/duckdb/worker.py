"""DuckDB's side, one process a call, so that each is measured from the outside like ours.

    worker.py version
    worker.py import GLOB PARQUET COMPRESSION sniffed|given
    worker.py queries SPEC.json      {"setup": [sql], "queries": [{name, sql}], "warmups": n, "runs": n}
"""

import json
import os
import statistics
import sys
import time

import duckdb
from queries import read_json


def connect():
    connection = duckdb.connect()
    connection.execute(f"SET threads = {os.cpu_count()}")
    return connection


def plain(value):
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


def run_queries(spec):
    connection = connect()
    for statement in spec.get("setup", []):
        connection.execute(statement)
    answers = []
    for query in spec["queries"]:
        times, rows = [], []
        for run in range(spec["warmups"] + spec["runs"]):
            start = time.perf_counter()
            rows = connection.execute(query["sql"]).fetchall()
            if run >= spec["warmups"]:
                times.append((time.perf_counter() - start) * 1000)
        rows = [[plain(value) for value in row] for row in rows]
        answers.append({"name": query["name"], "median_ms": statistics.median(times), "min_ms": min(times), "rows": rows})
    return answers


def main():
    mode, *arguments = sys.argv[1:]
    if mode == "version":
        print(json.dumps(duckdb.__version__))
    elif mode == "import":
        glob, target, compression, schema = arguments
        start = time.perf_counter()
        source = read_json(glob, given_schema=schema == "given")
        connect().execute(f"COPY (SELECT * FROM {source}) TO '{target}' (FORMAT parquet, COMPRESSION {compression})")
        print(json.dumps({"inner_seconds": time.perf_counter() - start}))
    elif mode == "queries":
        with open(arguments[0]) as file:
            print(json.dumps(run_queries(json.load(file))))


if __name__ == "__main__":
    main()
