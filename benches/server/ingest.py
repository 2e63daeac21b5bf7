#!/usr/bin/env python3
"""Spans a second that are on disk when they are answered, beside PostgreSQL on the same machine.

    python -m venv .venv && .venv/bin/pip install -r benches/server/requirements.txt
    .venv/bin/python benches/server/ingest.py [--evalhouse target/release/evalhouse] [--work DIR]
        [--spans 100000] [--clients 8] [--experiments 4] [--turns 3]
    .venv/bin/python benches/server/ingest.py --long 3

Clients, each a process with one connection, send requests of 100 rows as fast as they are answered. All requests are made
before the clock starts. The sides take turns over empty stores, and the medians of the turns are given:

- evalhouse: `POST /logs3`, as the SDKs send it; merged by id, answered after the flush;
- PostgreSQL INSERT: one prepared statement of 100 rows a transaction, `ON CONFLICT (experiment_id, id) DO UPDATE`;
- PostgreSQL COPY: 100 rows a transaction. It cannot replace a row that is there.

PostgreSQL has `fsync` and `synchronous_commit` on, a GiB of shared buffers, checkpoints out of the way (4 GiB of WAL), a
primary key, JSON as `jsonb`, and no other index. "Answered" is until the last request was; "in the store" until a query
has counted all rows: for evalhouse they are Parquet then. Both sides' answers, a count and two sums, have to be those of
the rows that were sent; the exit status is 1 if they are not.

`--long N` sends N GiB to evalhouse alone, more than the journal may hold: what is sustained, and how often a client was
told to come back.
"""

import argparse
import json
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

from common import TOTALS, Client, Rows, Sampler, Server, arguments, percentile, table, totals_of

ROWS_PER_REQUEST = 100
COLUMNS = {
    "experiment_id": "text", "id": "text", "span_id": "text", "root_span_id": "text", "created": "timestamptz", "span_parents": "jsonb",
    "span_attributes": "jsonb", "input": "jsonb", "output": "jsonb", "expected": "jsonb", "metadata": "jsonb", "metrics": "jsonb",
    "scores": "jsonb", "tags": "jsonb", "context": "jsonb",
}


class Evalhouse:
    name = "evalhouse"

    def __init__(self, options):
        self.options = options

    def empty(self):
        shutil.rmtree(self.options.work / "ingest", ignore_errors=True)
        self.server = Server(self.options.evalhouse, self.options.work / "ingest" / "store")
        self.server.start()
        client = Client(self.server.port)
        self.experiments = [client.experiment("ingest", f"run-{number}") for number in range(self.options.experiments)]

    def prepare(self, rows):
        return f'{{"rows":[{",".join(rows)}],"api_version":2}}'.encode()

    def connect(self):
        client = Client(self.server.port)
        return client.log

    def totals(self):
        return tuple(Client(self.server.port, timeout=1_200).sql(TOTALS)[0].values())

    def done(self):
        self.server.stop()


class Postgres:
    """Both ways in; the server is started once."""

    folder = None

    def __init__(self, options):
        self.options = options
        self.experiments = [f"run-{number}" for number in range(options.experiments)]
        if Postgres.folder is None:
            self.start()

    def start(self):
        folder = Postgres.folder = self.options.work / "postgres"
        self.stop()
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        # PostgreSQL refuses to run as root.
        self.user = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
        if self.user:
            shutil.chown(folder, "postgres", "postgres")
        self.call("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-locale", f"--pgdata={folder}/data")
        settings = {"fsync": "on", "synchronous_commit": "on", "shared_buffers": "1GB", "max_wal_size": "4GB", "listen_addresses": "", "unix_socket_directories": folder}
        self.call("pg_ctl", "start", "--wait", f"--pgdata={folder}/data", f"--log={folder}/log", "--options", " ".join(f"-c {name}='{value}'" for name, value in settings.items()))
        columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        self.connection().execute(f"CREATE TABLE spans ({columns}, PRIMARY KEY (experiment_id, id))")

    def call(self, program, *arguments):
        program = Path(shutil.which(program)).resolve()
        subprocess.run([program, *arguments], check=True, stdout=subprocess.DEVNULL, cwd="/", **self.user)

    @classmethod
    def stop(cls):
        process = cls.folder and cls.folder / "data" / "postmaster.pid"
        if process and process.exists():
            pg_ctl = Path(shutil.which("pg_ctl")).resolve()
            user = {"user": "postgres", "group": "postgres"} if os.geteuid() == 0 else {}
            subprocess.run([pg_ctl, "stop", "--mode=fast", f"--pgdata={cls.folder}/data"], check=True, stdout=subprocess.DEVNULL, cwd="/", **user)

    def connection(self):
        import psycopg

        return psycopg.connect(f"host={Postgres.folder} user=postgres dbname=postgres", autocommit=True)

    def empty(self):
        with self.connection() as connection:
            connection.execute("TRUNCATE spans")
            connection.execute("CHECKPOINT")

    def values(self, row):
        row = json.loads(row)
        given = [(row.get(name), kind) for name, kind in COLUMNS.items()]
        return [None if value is None else json.dumps(value) if kind == "jsonb" else value for value, kind in given]

    def totals(self):
        sums = "sum((metrics->>'prompt_tokens')::float8), sum((scores->>'Factuality')::float8)"
        with self.connection() as connection:
            return connection.execute(f"SELECT count(*), {sums} FROM spans").fetchone()

    def done(self):
        pass


class Insert(Postgres):
    name = "PostgreSQL INSERT"

    def prepare(self, rows):
        return [value for row in rows for value in self.values(row)]

    def connect(self):
        cursor = self.connection().cursor()
        row = f"({', '.join(['%s'] * len(COLUMNS))})"
        changes = ", ".join(f"{name} = excluded.{name}" for name in list(COLUMNS)[2:])

        def send(values):
            rows = ", ".join([row] * (len(values) // len(COLUMNS)))
            started = time.monotonic()
            cursor.execute(f"INSERT INTO spans VALUES {rows} ON CONFLICT (experiment_id, id) DO UPDATE SET {changes}", values, prepare=True)
            return time.monotonic() - started, 0

        return send


class Copy(Postgres):
    name = "PostgreSQL COPY"

    def prepare(self, rows):
        def cell(value):
            return r"\N" if value is None else value.replace("\\", r"\\")

        return "".join("\t".join(map(cell, self.values(row))) + "\n" for row in rows).encode()

    def connect(self):
        cursor = self.connection().cursor()

        def send(lines):
            started = time.monotonic()
            with cursor.copy("COPY spans FROM STDIN") as copy:
                copy.write(lines)
            return time.monotonic() - started, 0

        return send


def client(side, number, count, barrier, results):
    rows = Rows(side.experiments[number % len(side.experiments)], number).rows(count)
    requests = [side.prepare(rows[at : at + ROWS_PER_REQUEST]) for at in range(0, count, ROWS_PER_REQUEST)]
    totals, send = totals_of(rows), side.connect()
    del rows
    barrier.wait()
    seconds = [send(request)[0] for request in requests]
    results.put((time.monotonic(), seconds, totals))


def measure(side, options):
    """One turn: spans a second until answered, until counted, and seconds of each write."""
    side.empty()
    barrier, results = multiprocessing.Barrier(options.clients + 1), multiprocessing.Queue()
    count = options.spans // options.clients // ROWS_PER_REQUEST * ROWS_PER_REQUEST
    clients = [multiprocessing.Process(target=client, args=(side, number, count, barrier, results)) for number in range(options.clients)]
    for one in clients:
        one.start()
    barrier.wait()
    started = time.monotonic()
    ended = [results.get() for _ in clients]
    answered = max(end for end, _, _ in ended) - started
    totals = side.totals()
    stored = time.monotonic() - started
    side.done()
    sent = [sum(column) for column in zip(*(totals for _, _, totals in ended))]
    is_right = all(abs(float(told) - value) < 1e-6 * (1 + value) for told, value in zip(totals, sent))
    if not is_right:
        print(f"- {side.name}: {totals}, sent were {sent}")
    spans = count * options.clients
    return {"answered": spans / answered, "stored": spans / stored, "seconds": [one for _, seconds, _ in ended for one in seconds], "is_right": is_right}


def compare(options):
    sides = [Evalhouse(options), Insert(options), Copy(options)]
    found = {side.name: [] for side in sides}
    try:
        for turn in range(options.turns):
            for side in sides:
                found[side.name].append(measure(side, options))
                print(f"turn {turn + 1}: {side.name}: {found[side.name][-1]['answered']:,.0f} spans/s", file=sys.stderr)
    finally:
        Postgres.stop()
    lines = []
    for name, turns in found.items():
        seconds = [one * 1000 for turn in turns for one in turn["seconds"]]
        median = {key: statistics.median(turn[key] for turn in turns) for key in ("answered", "stored")}
        lines.append([name, round(median["answered"]), percentile(seconds, 0.5), percentile(seconds, 0.99), max(seconds), round(median["stored"])])
    print(table([f"{options.clients} clients", "spans/s answered", "write p50 ms", "p99 ms", "max ms", "spans/s in the store"], lines))
    is_right = all(turn["is_right"] for turns in found.values() for turn in turns)
    print("answers equal" if is_right else "answers differ")
    return 0 if is_right else 1


def sustained_client(port, experiment, number, mib, results):
    connection, rows = Client(port), Rows(experiment, number)
    size = spans = refusals = 0
    seconds = []
    while size < mib * 2**20:
        request = next(rows.bodies(ROWS_PER_REQUEST))
        took, refused = connection.log(request)
        seconds.append(took)
        size, spans, refusals = size + len(request), spans + ROWS_PER_REQUEST, refusals + refused
    results.put((time.monotonic(), seconds, spans, refusals))


def sustain(options):
    side = Evalhouse(options)
    side.empty()
    sampler, results = Sampler(side.server), multiprocessing.Queue()
    sampler.start()
    mib = options.long * 1024 / options.clients
    started = time.monotonic()
    clients = [
        multiprocessing.Process(target=sustained_client, args=(side.server.port, side.experiments[number % len(side.experiments)], number, mib, results))
        for number in range(options.clients)
    ]
    for one in clients:
        one.start()
    ended = [results.get() for _ in clients]
    answered = max(end for end, *_ in ended) - started
    spans = sum(one[2] for one in ended)
    told = side.totals()[0]
    stored = time.monotonic() - started
    seconds = [one * 1000 for _, all_seconds, *_ in ended for one in all_seconds]
    memory, journal = sampler.take()
    sampler.ended = True
    sampler.join()
    side.done()
    head = ["GiB", "spans", "spans/s answered", "spans/s in the store", "write p50 ms", "p99 ms", "max s", "429s", "journal most MiB", "RSS most MiB"]
    line = [options.long, spans, round(spans / answered), round(spans / stored), percentile(seconds, 0.5), percentile(seconds, 0.99), max(seconds) / 1000, sum(one[3] for one in ended), journal, memory]
    print(table(head, [line]))
    print("every row is there" if told == spans else f"{told:,} rows are there, {spans:,} were answered")
    return 0 if told == spans else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in [("spans", 100_000), ("clients", 8), ("experiments", 4), ("turns", 3)]:
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--long", type=float, metavar="GIB", help="send so much to evalhouse alone")
    options = arguments(parser)
    return sustain(options) if options.long else compare(options)


if __name__ == "__main__":
    sys.exit(main())
