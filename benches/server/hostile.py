#!/usr/bin/env python3
"""Clients that mean no good, against a server with rows that nothing may change.

    python benches/server/hostile.py [--evalhouse target/release/evalhouse] [--work DIR] [--only STEP…]

Slow heads and bodies, heads that are none, tricks in paths, wrong values for every parameter and wrong bodies for every
route of the OpenAPI description, foreign hosts and origins, wrong keys, compressed bombs, SQL that would read or write
files, rows that are hard to keep, half-closed and pipelined connections. Whatever is sent: no 5xx, no request without an
end, nothing in an answer that is not the asker's; at the end the server lives, also after a restart, with the rows that
it had. A row that is hard to keep is read back as it was sent, or refused with nothing of its request stored.
Prints a table and what went wrong; the exit status is 1 if anything did.
"""

import argparse
import gzip
import json
import re
import shutil
import socket
import struct
import sys
import threading
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

from common import Client, Rows, Server, arguments, body, table

# In a file beside the store, in the environment, and in the rows of another project.
SECRET = "c0ffee-must-not-be-seen"
FOREIGN = (SECRET.encode(), b"root:x:0:", b"daemon:x:1:")
# What is not answered by then hangs: a body may take 30 seconds to come, a head 75.
DEADLINE = 90
# Of an answer without end, this much is read.
ENOUGH = 32 << 20
ROWS = 8_000


class Wrong(list):
    """What went wrong, told as it does."""

    def append(self, one):
        super().append(one)
        print(f"- {one[0]}: {one[1]!s:.300}: {one[2]}", file=sys.stderr)


class Attack:
    """Sends, and keeps what came back."""

    def __init__(self, server):
        self.server, self.lock = server, threading.Lock()
        self.seen, self.slowest, self.wrong = defaultdict(Counter), defaultdict(float), Wrong()

    def note(self, group, shown, answer, seconds, must_answer=True):
        statuses = re.findall(rb"(?:^|\r\n|[}\]])HTTP/1\.[01] (\d{3})", answer) if answer is not None else []
        with self.lock:
            self.seen[group].update([status.decode() for status in statuses] or ["closed"])
            self.slowest[group] = max(self.slowest[group], seconds)
            if answer is None:
                self.wrong.append((group, shown, f"no end after {seconds:.0f} s"))
            elif any(status.startswith(b"5") for status in statuses):
                self.wrong.append((group, shown, answer[:400].decode("utf-8", "replace")))
            elif any(word in answer for word in FOREIGN):
                self.wrong.append((group, shown, "what it must not see"))
            elif must_answer and not statuses:
                self.wrong.append((group, shown, "closed without an answer"))

    def fault(self, group, shown, what):
        with self.lock:
            self.wrong.append((group, shown, what))

    def raw(self, group, data, shown=None, half_close=False, must_answer=True, deadline=DEADLINE):
        """Sends bytes as they are and reads until the server closes, or until it is clear that it answers."""
        started, answer = time.monotonic(), bytearray()
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=deadline) as line:
            try:
                line.sendall(data)
                if half_close:
                    line.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # The server may answer and close before all is sent.
            try:
                while len(answer) < ENOUGH and (part := line.recv(1 << 16)):
                    answer += part
            except TimeoutError:
                answer = None
            except OSError:
                pass
        self.note(group, shown or data[:90], answer, time.monotonic() - started, must_answer)
        return bytes(answer or b"")

    def ask(self, group, method, path, content=b"", headers="", host="localhost"):
        """A request that is well-formed; gives status and body."""
        content = content if isinstance(content, bytes) else json.dumps(content).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}Content-Length: {len(content)}\r\n\r\n"
        answer = self.raw(group, head.encode() + content, f"{method} {path[:160]} {headers.strip()} {content[:160]}")
        head, _, rest = answer.partition(b"\r\n\r\n")
        if b"transfer-encoding: chunked" in head.lower():
            rest = unchunked(rest)
        return int(head[9:12] or 0), rest


def unchunked(rest):
    parts = []
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        parts.append(rest[: int(size or b"0", 16)])
        rest = rest[int(size or b"0", 16) + 2 :]
    return b"".join(parts)


# ---- what is sent ---------------------------------------------------------------------------------


def slow(attack):
    """Clients that send a byte now and then, or nothing more, and one that takes nothing."""
    begun = b"HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n"

    def trickle(path, head, more):
        started, answer = time.monotonic(), b""
        with socket.create_connection(("127.0.0.1", attack.server.port)) as line:
            line.settimeout(1)
            line.sendall(path + begun + head)
            while time.monotonic() - started < 2 * DEADLINE:
                try:
                    if more:
                        line.sendall(more)
                    if not (part := line.recv(1 << 16)):
                        break
                    answer += part
                except TimeoutError:
                    continue
                except OSError:
                    break
            else:
                answer = None
        attack.note("slow", f"{path} {head} {more}", answer, time.monotonic() - started, must_answer=False)

    def takes_nothing():
        started = time.monotonic()
        with socket.socket() as line:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            line.connect(("127.0.0.1", attack.server.port))
            path = f"/api/v1/experiments/{attack.kept}/export?format=jsonl&rows=spans"
            line.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            time.sleep(70)
            line.settimeout(10)
            answer = b""
            try:
                while part := line.recv(1 << 16):
                    answer += part
            except TimeoutError:
                answer = None
            except OSError:
                pass
        attack.note("slow", "takes nothing for 70 s", answer, time.monotonic() - started)

    sent = [(b"POST /logs3 ", b"", b"X"), (b"POST /logs3 ", b"", b""), (b"POST /logs3 ", b"\r\n{", b" "), (b"POST /btql ", b"\r\n{", b"")]
    threads = [threading.Thread(target=trickle, args=one) for one in sent for _ in range(15)]
    threads += [threading.Thread(target=takes_nothing) for _ in range(5)]
    for thread in threads:
        thread.start()
    return threads


def heads(attack):
    host = "Host: localhost\r\nConnection: close\r\n"
    for request in [
        "GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: other\r\n{host}\r\n",
        f"GET / HTTP/9.9\r\n{host}\r\n",
        "GET /\r\n\r\n",
        f"GET /healthz HTTP/1.1\r\n{host}X: {'x' * 1_000_000}\r\n\r\n",
        f"GET /healthz HTTP/1.1\r\n{host}{'X: y' + chr(13) + chr(10)}{('X: y' + chr(13) + chr(10)) * 5_000}\r\n",
        f"GET /{'x' * 1_000_000} HTTP/1.1\r\n{host}\r\n",
        f"GET /healthz HTTP/1.1\r\n{host}Cookie: {'a=b;' * 10_000}\r\n\r\n",
        f"{'X' * 10_000} / HTTP/1.1\r\n{host}\r\n",
        f"GET /healthz HTTP/1.1\r\n{host}X : y\r\n\r\n",
        f"GET /healthz HTTP/1.1\r\n{host}X: a\r\n b\r\n\r\n",
        f"GET /healthz HTTP/1.1\r\n{host}X: a\0b\r\n\r\n",
        f"GET http://evil.example/healthz HTTP/1.1\r\n{host}\r\n",
        f"CONNECT evil.example:443 HTTP/1.1\r\n{host}\r\n",
        f"TRACE /healthz HTTP/1.1\r\n{host}\r\n",
        f"OPTIONS * HTTP/1.1\r\n{host}\r\n",
        f"BREW /healthz HTTP/1.1\r\n{host}\r\n",
        f"POST /logs3 HTTP/1.1\r\n{host}Content-Length: -1\r\n\r\n",
        f"POST /logs3 HTTP/1.1\r\n{host}Content-Length: 18446744073709551616\r\n\r\n",
        f"POST /logs3 HTTP/1.1\r\n{host}Content-Length: 99999999999\r\n\r\n",
        f"POST /logs3 HTTP/1.1\r\n{host}Content-Length: 1\r\nContent-Length: 2\r\n\r\n{{}}",
        f"POST /logs3 HTTP/1.1\r\n{host}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        f"POST /logs3 HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n",
        f"POST /logs3 HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
        f"POST /logs3 HTTP/1.1\r\n{host}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        f"GET /healthz HTTP/1.1\r\n{host}Authorization: {'Bearer ' * 1000}\r\n\r\n",
        f"GET /healthz HTTP/1.1\r\n{host}Upgrade: websocket\r\nConnection: Upgrade, close\r\n\r\n",
        f"GET /healthz HTTP/1.1\r\n{host}Range: bytes=0-1,1-2\r\nExpect: 200-maybe\r\n\r\n",
        f"GET /healthz HTTP/1.1\r\n{host}Accept-Encoding: gzip;q=x, *;q=9\r\nAccept: */////\r\n\r\n",
        "\0" * 1_000 + "\r\n\r\n",
    ]:
        attack.raw("heads", request.encode(), must_answer=False)
    attack.raw("heads", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: \xff\xfe\r\nConnection: close\r\n\r\n", must_answer=False)
    attack.raw("heads", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20, must_answer=False)
    attack.raw("heads", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\xff\x04" * 50, must_answer=False)


def paths(attack):
    for path in [
        "/../../etc/passwd", "/api/v1/../../etc/passwd", "/assets/../../../etc/passwd", "/assets/..%2f..%2f..%2fetc%2fpasswd",
        "/assets/%2e%2e/%2e%2e/etc/passwd", "/assets//etc/passwd", "/assets/....//etc/passwd", "/assets/%00", "/assets/.%5c..%5cx",
        "/app/..%2f..%2fetc%2fpasswd", "/app/x/p/..%2f../settings", "/api/v1/queries/..%2f..%2f..%2fetc%2fpasswd",
        "/api/v1/queries/..%2f..%2fsecret/rows", "/api/v1/experiments/..%2f..%2fsecret.csv/summary", "/api/v1/experiments/%00/summary",
        "/api/v1/experiments/%ff%fe/summary", "/api/v1/experiments/%/summary", "/api/v1/experiments//summary", "/api/v1/experiments/./summary",
        "/api/v1/experiments/'%20or%201=1--/summary", f"/api/v1/experiments/{'a' * 60_000}/summary", f"/{'a/' * 20_000}", "/%c0%ae%c0%ae/etc/passwd",
        "/v1/experiment/..%2fx/fetch", "/v1/dataset/%2e%2e/fetch", "//healthz", "/healthz/", "/HEALTHZ", "/healthz;x=y", "/api/v1/experiments?&&==&%00=%00",
        "/api/v1/experiments?where=%ff%fe", "/?" + "a=b&" * 10_000, "/api/v1/experiments?" + "where=x&" * 2_000, "/.env", "/.git/config", "/journal", "/spans/_delta_log",
    ]:
        for method in ["GET", "POST", "DELETE"]:
            attack.ask("paths", method, path)


def filled(attack, path, known):
    """A path of the description, with names that are there or with nonsense."""
    real = {"experiment": attack.victim, "id": attack.victim, "project": quote("victims"), "case": "x", "dataset": "x"}
    nonsense = "..%2f%00%F0%9F%92%A3'%22"
    return re.sub(r"{(\w+)}", lambda name: real.get(name[1], "x") if known else nonsense, path)


VALUES = ["", " ", "-1", "0", "1e400", "99999999999999999999", "null", "NaN", "true", "[]", "{}", "'", '"', "\\", "%00", "%F0%9F%92%A3",
          "a" * 5_000, "(" * 3_000, "not " * 2_000, "1/0 = 1", "x = 'a", "input.a.b.c[99999999999999] = 1", "select 1", "1; drop table spans",
          "metadata.x LIKE '%25" + "%25a" * 200 + "'", "pg_read_file('/etc/passwd')", "read_csv('/etc/passwd')", "latest:..%2f..", "baseline:"]


def parameters(attack, description):
    for path, methods in description["paths"].items():
        if "get" not in methods:
            continue
        where = filled(attack, path, True)
        attack.ask("parameters", "GET", filled(attack, path, False))
        names = [one["name"] for one in methods["get"].get("parameters", []) if one["in"] == "query"]
        required = {one["name"]: attack.victim for one in methods["get"].get("parameters", []) if one["in"] == "query" and one.get("required")}
        for name in [*names, "unknown"]:
            others = "".join(f"&{other}={value}" for other, value in required.items() if other != name)
            for value in VALUES:
                value = value if "%" in value else quote(value)
                attack.ask("parameters", "GET", f"{where}?{name}={value}{others}")
            attack.ask("parameters", "GET", f"{where}?{name}=a&{name}=b{others}")


FIELDS = ("id name project_name project_id org_name experiment_name dataset_name description metadata tags ensure_new update public base_exp_id "
          "dataset_id dataset_version repo_info ancestor_commits limit cursor version max_xact_id max_root_span_id object_type object_ids query fmt "
          "rows events feedback parameters tz_offset settings").split()
WRONG = [None, True, -1, 1e308, 10**30, "", "\0", "..", "x" * 100_000, "\U0001f600" * 100, [], [None], [[]], {}, {"": {}}, [{"id": {}}], {"op": "literal"},
         [{"id": "x", "experiment_id": 5}], {"op": "and", "children": "x"}, {"select": 1, "from": {"op": "function", "name": "x", "args": 7}},
         {"select": [{"op": "star"}], "from": {"op": "function", "name": {"op": "ident", "name": ["experiment"]}, "args": [{"op": "literal", "value": {}}]}}]


def bodies(attack, description):
    deep = b"[" * 100_000 + b"]" * 100_000
    plain = [b"", b"null", b"[]", b"{}", b"{", b"7", b'"x"', b"\xff\xfe", b"{\"a\":\"\xff\"}", b'{"a":"\\ud800"}', deep, b'{"query":' + deep + b"}", b'{"rows":' + deep + b"}",
             b'{"events":[' + b"{}," * 3 + b"{}]}", b'{"rows":[{"experiment_id":"x","input":' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"}]}", b"x" * 1_000_000,
             b'{"rows":{"type":"logs3_overflow","key":"../../etc/passwd"}}', b"<?xml version='1.0'?>", b"a=b&c=d", b'{"a":1,"a":2}', b"{\"a\":1e999999}", b" " * 100_000]
    for path, methods in description["paths"].items():
        for method in sorted(methods.keys() & {"post", "patch", "delete"}):
            where = [filled(attack, path, False)] + ([filled(attack, path, True)] if method != "delete" else [])
            for content in plain:
                for one in where:
                    attack.ask("bodies", method.upper(), one, content)
            for field in FIELDS if method != "delete" else ():
                for value in WRONG:
                    attack.ask("bodies", method.upper(), where[-1], {field: value})


def hosts(attack, description):
    own = f"localhost:{attack.server.port}"
    for path, methods in description["paths"].items():
        path = filled(attack, path, True)
        method = next(iter(methods.keys() & {"get", "post"}), "get").upper()
        for host in ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8787", "10.0.0.1", "localhost@evil.example", "", "[::1", "a b"]:
            status, _ = attack.ask("hosts and origins", method, path, b"{}", host=host)
            if status not in (400, 403):
                attack.fault("hosts and origins", f"{method} {path} Host {host}", f"answered {status}")
        for origin in ["http://evil.example", "null", "http://localhost:1", "https://127.0.0.1", "file://", f"http://{own}.evil.example", f"http://{own}@evil.example"]:
            status, _ = attack.ask("hosts and origins", method, path, b"{}", f"Origin: {origin}\r\n", host=own)
            if status != 403:
                attack.fault("hosts and origins", f"{method} {path} Origin {origin}", f"answered {status}")


def bombs(attack):
    zeros = gzip.compress(bytes(64 << 20))
    # A zstd frame of blocks that each repeat one byte 128 Ki times.
    block = struct.pack("<I", 1 << 1 | (128 << 10) << 3)[:3] + b" "
    zstd = b"\x28\xb5\x2f\xfd\x00\x58" + block * 16_384 + struct.pack("<I", 1 | 1 << 1 | 1 << 3)[:3] + b" "
    for path in ["/logs3", "/btql", "/api/v1/sql", f"/v1/experiment/{attack.victim}/insert", f"/v1/experiment/{attack.victim}/fetch", "/v1/project"]:
        for encoding, content in [
            ("gzip", zeros * 32), ("gzip", gzip.compress(zeros)), ("zstd", zstd), ("gzip", zeros[:-9]), ("gzip", b"x"), ("gzip", b""), ("zstd", b"\x28\xb5\x2f\xfd\xff"),
            ("zstd", b"\x28\xb5\x2f\xfd\xe0" + b"\xff" * 8), ("br", b"x"), ("gzip, gzip", zeros), ("deflate", b"x"), ("x" * 5000, b"x"), ("gzip", b"{}"),
        ]:
            attack.ask("bombs", "POST", path, content, f"Content-Encoding: {encoding}\r\n")
        attack.ask("bombs", "POST", path, b" " * ((64 << 20) + 1))


def statements(attack, secret):
    reads = [
        f"select * from '{secret}'", f"select * from \"{secret}\"", f"select * from read_csv('{secret}')", f"select * from read_parquet('{secret}')", "select * from '/etc/passwd'",
        f"create external table t stored as csv location '{secret}'", f"create external table t stored as csv location 'file://{secret}'", f"select pg_read_file('{secret}')",
        "create external table t stored as csv location 'http://localhost:1/x.csv'", "select * from 's3://bucket/x.parquet'", "select * from 'http://127.0.0.1:1/x.csv'",
        f"copy (select 1) to '{secret}.out'", f"copy spans to '{secret}.out' stored as parquet", f"explain copy (select 1) to '{secret}.out'", f"insert into spans select * from spans",
        "delete from spans", "update spans set id = 'x'", "drop table spans", "drop view cases", "create table t as select 1", "create view v as select * from spans", "truncate table spans",
        "alter table spans rename to x", "set datafusion.execution.batch_size = 1", "reset all", "show all", "show tables", "select * from information_schema.df_settings", "describe spans",
        "create function f() returns int return 1", "prepare p as select 1", "execute p", "begin", "commit", "load 'x'", "install httpfs", "attach 'x' as y", "vacuum", "select 1; drop table spans",
        "select * from registry", "select * from keys", "select * from documents", "select * from \"../registry\"", "select * from delta_scan('/')", "select getenv('EVALHOUSE_SECRET')", "select current_setting('x')",
        f"select * from experiment('{secret}')", "select * from experiment('../x')", "select * from diff('x', 'y')", "unload spans to 'x'", "call f()", "explain analyze select * from spans",
    ]
    costly = [
        "with recursive t(n) as (select 1 union all select n + 1 from t) select count(*) from t", "select count(*) from generate_series(1, 1000000000000000000)", "select count(*) from range(0, 9223372036854775807)",
        "select repeat('x', 2000000000)", "select lpad('x', 2147483647)", "select length(repeat(repeat('x', 100000), 100000))", "select array_repeat(1, 2000000000)", "select sum(length(a.input) * length(b.input)) from spans a, spans b, spans c",
        "select * from spans a, spans b", "select array_agg(a.input) from spans a, spans b", "select " + "(" * 20_000 + "1" + ")" * 20_000, "select " + "not " * 20_000 + "true", "select " + "1+" * 50_000 + "1",
        "select 1 where 1 in (" + "1," * 200_000 + "1)", "select " + ",".join(f"{i} as c{i}" for i in range(20_000)), " union all ".join(["select 1"] * 5_000), "select case " + "when true then 1 " * 20_000 + "end",
        "select regexp_match(input, '(a*)*b') from spans", "select regexp_replace('" + "a" * 30_000 + "', '(a|a)*$', 'b')", "select regexp_match('a', 'a{1000}{1000}{1000}')", "select 10e308 * 10, -9223372036854775808 / -1, 1/0, 9223372036854775807 + 1",
        "select date_trunc('x', now()), interval '99999999999 years' + now()", "select cast('x' as int)", "select cast(1e30 as bigint)", "select * from spans order by 9999", "select substr('x', -9223372036854775808, 9223372036854775807)",
        "select '\0'", "select \"\"", "", ";", "--", "/*", "select '\ud800'", "select U&'\\DFFF'", "select chr(0), chr(1114112)", "select to_timestamp(9223372036854775807)", "select array[1,2,3][99999999999999999999]",
        "select json_get('" + "[" * 5_000 + "', 0)", "select metadata." + ".".join("a" * 1 for _ in range(5_000)) + " from spans", "select canonical_json('" + "[" * 10_000 + "]" * 10_000 + "')", "select levenshtein(repeat('a', 1000000), repeat('b', 1000000))",
        "select pass_at_k(1, -1), pass_at_k(1, 9223372036854775807), percentile_cont(2.0) within group (order by 1)", "select paired_diff(1, null), mean_ci(null)", "explain " * 200 + "select 1",
    ]
    asked = [(path, query) for query in reads + costly for path in ("/api/v1/sql", "/btql")]
    with ThreadPoolExecutor(4) as several:
        list(several.map(lambda one: attack.ask("SQL", "POST", one[0], {"query": one[1]}), asked))
    for clause in ["select: * | from: experiment('../../etc/passwd')", "from: '/etc/passwd'", "select: * | from: read_csv('/etc/passwd')", "filter: " + "(" * 20_000, "select: * | from: experiment('x') | limit: -1",
                   "select: * | from: experiment('x') | cursor: '../..'", "sample: 1e99%", "measures: percentile(1, 7) | dimensions: 1 | pivot: x", "select: * | from: experiment('x') summary | preview_length: 99999999999999999999"]:
        for query in [clause, clause.replace("'x'", f"'{attack.victim}'")]:
            attack.ask("SQL", "POST", "/btql", {"query": query})
    if Path(f"{secret}.out").exists():
        attack.fault("SQL", "COPY", "wrote a file")


def hard_rows():
    """Rows that are hard to keep, by what is hard about them."""
    def nested(levels):
        value = 1
        for level in range(levels):
            value = {"a": value} if level % 2 else [value]
        return value

    names = ["", ".", "a.b", '"', "'", "\\", "\0", " ", "\u202e", "\U0001f600", "a\nb", "__proto__", "scores", "is_root", "`", "%s", "$ref", "a" * 10_000, "A", "\u00e9", "e\u0301"]
    numbers = [0, -0.0, 1.0, 2**53 + 1, 2**63, 2**64, 2**70, -(2**70), 10**300, 1e308, 5e-324, 0.1, 1e22, 123456789.123456789, 1700000000.123456]
    return {
        "10,000 keys": {"metadata": {f"key {i}": i for i in range(10_000)}},
        "10,000 keys in input": {"input": {f"k.{i}": {"v": i} for i in range(10_000)}},
        "1,000 scores": {"scores": {f"s {i}": i / 1_000 for i in range(1_000)}},
        "1,000 metrics": {"metrics": {f"m.{i}": i for i in range(1_000)}},
        "100 levels": {"input": nested(99), "metadata": {"x": nested(97)}},
        "120 levels": {"output": nested(119)},
        "200 levels": {"output": nested(199)},
        "900 levels": {"output": nested(899)},
        "odd names": {"metadata": {name: name for name in names}, "input": {name: {name: 1} for name in names}},
        "odd names of scores": {"scores": {name: 0.5 for name in names}},
        "odd names of metrics": {"metrics": {name: 0.5 for name in names}},
        "odd fields": {name: 1 for name in names if name not in ("scores", "is_root")},
        "numbers": {"input": numbers, "metadata": {"n": numbers}, "output": {str(i): n for i, n in enumerate(numbers)}},
        "long numbers": {"input": [Decimal("0.1234567890123456789012345678901234567890"), Decimal("1e400"), Decimal("1.10")]},
        **{f"metric {number}": {"metrics": {"m": number}} for number in [2**53, 2**53 + 1, 2**63, 2**70, -(2**53) - 1, 1e308, 5e-324, Decimal("1e400"), Decimal("0.12345678901234567891"), Decimal("1e-400")]},
        **{f"score {number}": {"scores": {"s": number}} for number in [None, 0, 1, -1, 7.5, 2**53 + 1, Decimal("1e400"), Decimal("0.12345678901234567891"), Decimal("1e-400")]},
        "mixed types": {"metadata": {"x": 1}}, "mixed types again": {"metadata": {"x": "one"}}, "mixed types at last": {"metadata": {"x": {"y": [1]}}},
        "empty values": {"input": "", "output": [], "expected": {}, "metadata": {}, "tags": [], "scores": {}, "metrics": {}},
        "tags": {"tags": ["", "a", "a", "\0", "x" * 10_000]},
        "unicode": {"input": "\0\u001f\u007f\u0080\u2028\ufeff\ufffe\U0001f4a3 \u202eabc"},
        "a million characters": {"input": "x" * 1_000_000},
        "types that do not fit": {"scores": {"s": "high"}}, "scores are a list": {"scores": [1]}, "tags are numbers": {"tags": [1]}, "metadata is a list": {"metadata": []},
        "parents are no list": {"span_parents": "x"}, "no id": {"id": 5}, "empty id": {"id": ""}, "created is no time": {"created": "yesterday"}, "created beyond time": {"created": "99999-01-01T00:00:00Z"},
        "its own parent": {"span_id": "self", "root_span_id": "self", "span_parents": ["self"]}, "parent elsewhere": {"span_id": "lone", "root_span_id": "lost", "span_parents": ["nobody"]},
        "reserved names": {"_xact_id": "1", "_pagination_key": "x", "is_root": False, "project_id": 7, "log_id": "g"}, "merge paths": {"_is_merge": True, "_merge_paths": [["input", 5]]},
        "controls of wrong types": {"_is_merge": "yes"}, "parent ids": {"_parent_id": 7},
    }


ADDED = {"_xact_id", "_pagination_key", "is_root", "project_id", "experiment_id", "created", "span_id", "root_span_id", "span_parents", "log_id", "comments", "audit_data"}


def text_of(value):
    """JSON with numbers as they are, however long."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{text_of(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(text_of, value)) + "]"
    return str(value) if isinstance(value, Decimal) else json.dumps(value)


def same(sent, got):
    """Whether two JSON values are equal, numbers by value, to the last digit."""
    if isinstance(sent, dict) and isinstance(got, dict):
        return sent.keys() == got.keys() and all(same(sent[key], got[key]) for key in sent)
    if isinstance(sent, list) and isinstance(got, list):
        return len(sent) == len(got) and all(map(same, sent, got))
    if isinstance(sent, bool) or isinstance(got, bool) or not isinstance(sent, (int, float, Decimal)):
        return type(sent) is type(got) and sent == got
    return isinstance(got, (int, Decimal)) and Decimal(repr(sent) if isinstance(sent, float) else sent) == Decimal(got)


def rows(attack):
    group, ordinary = "rows", {"input": "beside a hard one"}
    for name, fields in hard_rows().items():
        for settled in [False, True]:
            experiment = attack.client.experiment("victims", "hard")
            hard = {"id": "hard", **fields}
            beside = {"id": "beside", **ordinary}
            sent = text_of({"rows": [{"experiment_id": experiment, **beside}, {"experiment_id": experiment, **hard}]}).encode()
            status, answer = attack.ask(group, "POST", "/logs3", sent)
            if settled:
                attack.client.sql("select count(*) from spans")
            fetched, page = attack.ask(group, "POST", f"/v1/experiment/{experiment}/fetch", {})
            events = {one["id"]: one for one in json.loads(page, parse_float=Decimal)["events"]} if fetched == 200 else {}
            if status == 200 and fields.keys() & {"id"} == set():
                got = events.get("hard", {})
                for field, value in fields.items():
                    given = got.get(field)
                    is_kept = same(value, given) or (not value and given is None) or field in ADDED or field.startswith("_")
                    if not is_kept:
                        attack.fault(group, f"{name}: {field}", f"sent {text_of(value)[:120]}, got {text_of(given)[:120]}")
            elif status != 200 and events:
                attack.fault(group, name, f"refused with {status}, and {sorted(events)} stored")
            elif status not in (200, 400):
                attack.fault(group, name, f"answered {status} {answer[:200]}")


def connections(attack):
    get = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    last = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    answer = attack.raw("connections", get * 2_000 + last, "2,001 pipelined requests")
    if answer.count(b"HTTP/1.1 200") != 2_001:
        attack.fault("connections", "2,001 pipelined requests", f"{answer.count(b'HTTP/1.1 200')} answers")
    query = json.dumps({"query": "select count(*) from spans"}).encode()
    post = b"POST /api/v1/sql HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%b" % (len(query), query)
    attack.raw("connections", post * 50 + last, "50 pipelined queries")
    # Who closes has gone away: an answer is not owed.
    attack.raw("connections", get, "half-closed", half_close=True, must_answer=False)
    attack.raw("connections", post, "half-closed after a query", half_close=True, must_answer=False)
    attack.raw("connections", b"POST /logs3 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{", "half-closed in a body", half_close=True, must_answer=False)
    attack.raw("connections", b"POST /logs3 HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{", "half-closed in a chunk", half_close=True, must_answer=False)
    attack.raw("connections", b"", "says nothing", half_close=True, must_answer=False)
    open_lines = []
    for number in range(400):
        line = socket.create_connection(("127.0.0.1", attack.server.port))
        line.sendall(post if number % 4 == 0 else b"GET /healthz HTTP/1.1\r\nHo")
        if number % 2 == 0:  # Goes away with a reset.
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            line.close()
        else:
            open_lines.append(line)
    started = time.monotonic()
    attack.ask("connections", "GET", "/healthz")
    if time.monotonic() - started > 5:
        attack.fault("connections", "200 idle connections", "another client waits for seconds")
    for line in open_lines:
        line.close()


def keys(attack, description, key_of_one_project):
    """With keys in use: none, a wrong one, and one of another project on every route."""
    wrong = ["", "Authorization: Bearer \r\n", "Authorization: Bearer eh_x\r\n", f"Authorization: Bearer {'x' * 20_000}\r\n", "Authorization: Basic eDp5\r\n", "Authorization: Bearer \xe9\r\n",
             f"Authorization: Bearer {key_of_one_project[:-1]}\r\n", f"Authorization: Bearer {key_of_one_project}x\r\n", "Cookie: evalhouse_key=x\r\n",
             f"Authorization: Bearer x\r\nAuthorization: Bearer {key_of_one_project}\r\n"]
    for path, methods in description["paths"].items():
        for method in sorted(methods.keys() & {"get", "post", "patch", "delete"}):
            is_open = methods[method]["security"] == []
            where = re.sub(r"{(\w+)}", lambda name: attack.kept if name[1] in ("experiment", "id") else "kept", path)
            for header in wrong:
                status, _ = attack.ask("keys", method.upper(), where, b"{}", header)
                if not is_open and status not in (400, 401, 403, 431):
                    attack.fault("keys", f"{method} {where} {header[:60]}", f"answered {status}")
            status, answer = attack.ask("keys", method.upper(), where, b"{}", f"Authorization: Bearer {key_of_one_project}\r\n")
            if "{" in path and not path.startswith(("/app", "/assets", "/api/v1/queries")) and status == 200:
                attack.fault("keys", f"{method} {where} with the key of another project", f"answered {answer[:200]}")
    owner = f"Authorization: Bearer {key_of_one_project}\r\n"
    for query in ["select * from spans", "select * from cases", "select * from experiments", "select * from projects", "select * from scores", "select * from datasets", f"select * from experiment('{attack.kept}')",
                  "select * from experiment('kept/rows')", "select * from history('kept', 'Factuality')", f"select * from diff('{attack.kept}', '{attack.kept}')", "select * from information_schema.columns"]:
        for path in ["/api/v1/sql", "/btql"]:
            status, answer = attack.ask("keys", "POST", path, {"query": query}, owner)
            if attack.kept.encode() in answer.replace(query.encode(), b"") and status == 200:
                attack.fault("keys", query, f"shows the other project: {answer[:200]}")
    attack.ask("keys", "POST", "/btql", {"query": f"select: * | from: experiment('{attack.kept}')"}, owner)
    attack.ask("keys", "POST", "/logs3", {"rows": [{"experiment_id": attack.kept, "id": "foreign", "input": 1}]}, owner)
    for role in ["DELETE", "PATCH"]:
        attack.ask("keys", role, f"/v1/experiment/{attack.kept}", b"{}", owner)


# ---- the measurement --------------------------------------------------------------------------------


def events(client, experiment):
    found, cursor = [], None
    while True:
        page = client.json("POST", f"/v1/experiment/{experiment}/fetch", {"cursor": cursor})
        found += page["events"]
        if not (cursor := page["cursor"]):
            return sorted(found, key=lambda one: one["id"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", help="only these of: slow heads paths parameters bodies hosts bombs statements rows connections keys")
    options = arguments(parser)
    is_wanted = lambda step: not options.only or step in options.only
    sys.setrecursionlimit(10_000)
    work = options.work / "hostile"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    secret = work / "secret.csv"
    secret.write_text(f"a,b\n{SECRET},{SECRET}\n")
    server = Server(options.evalhouse, work / "store", "--log-level", "error", "--query-time", "10s", environment={"EVALHOUSE_SECRET": SECRET})
    with server:
        attack = Attack(server)
        attack.client = client = Client(server.port)
        attack.kept, attack.victim = client.experiment("kept", "rows"), client.experiment("victims", "victim")
        for request in Rows(attack.kept).bodies(ROWS):
            client.json("POST", "/logs3", request)
        client.json("POST", "/logs3", body(Rows(attack.victim).rows(40)))
        before = events(client, attack.kept)
        description = client.json("GET", "/openapi.json")
        slow_clients = slow(attack) if is_wanted("slow") else []
        for step, takes in [(heads, ()), (paths, ()), (parameters, (description,)), (bodies, (description,)), (hosts, (description,)),
                            (bombs, ()), (statements, (secret,)), (rows, ()), (connections, ())]:
            if is_wanted(step.__name__):
                print(f"{step.__name__} …", file=sys.stderr)
                step(attack, *takes)
        for thread in slow_clients:
            thread.join()
        if events(client, attack.kept) != before:
            attack.fault("at the end", "fetch", "rows that nobody may change have changed")
        status = Path(f"/proc/{server.process.pid}/status").read_text()
        peak = int(status.split("VmHWM:")[1].split()[0]) // 1024
    made = server.run("keys", "create", "stranger", "--role", "admin", "--project", "victims")
    with server:
        if is_wanted("keys"):
            print("keys …", file=sys.stderr)
            keys(attack, description, re.search(r"eh_\w+", made)[0])
    server.run("keys", "revoke", "stranger")
    owner = re.search(r"eh_\w+", server.run("keys", "create", "owner", "--role", "admin"))[0]
    with server:
        if events(Client(server.port, owner), attack.kept) != before:
            attack.fault("at the end", "after a restart", "rows that nobody may change have changed")
    head = ["clients", "requests", "answers", "slowest s"]
    lines = [[group, sum(seen.values()), ", ".join(f"{status} × {count}" for status, count in sorted(seen.items())), attack.slowest[group]] for group, seen in attack.seen.items()]
    print(table(head, lines))
    print(f"\nThe server's memory was {peak} MiB at most.")
    print(f"{len(attack.wrong)} went wrong" if attack.wrong else "nothing went wrong")
    return 1 if attack.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
