"""What the measurements share: a server of their own, a client that keeps its connection, made-up rows, tables.

The rows are those of an eval whose task calls a model: traces of four spans (eval, task, llm, score), 1 to 2 KB each.
They are made as text: a client that spends its time on encoding JSON measures itself.
"""

import http.client
import json
import math
import os
import random
import signal
import socket
import subprocess
import threading
import time
import uuid
from pathlib import Path

SPANS_PER_TRACE = 4
WORDS = (
    "the customer asks whether an order that was shipped last week can still be sent to another address and what a "
    "refund of the express fee would take when the parcel is late again because of the weather in the north"
).split()


class Server:
    """`evalhouse serve` over a store in a folder, on a free port."""

    def __init__(self, program, store, *options, environment=None):
        self.program, self.store, self.options = str(program), Path(store), options
        self.environment = {**os.environ, **(environment or {})}
        self.process = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        """Starts it and gives the seconds until it says that it is ready."""
        self.store.parent.mkdir(parents=True, exist_ok=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        started = time.monotonic()
        with open(self.store.parent / "server.log", "ab") as log:
            self.process = subprocess.Popen(
                [self.program, "--store", str(self.store), "serve", "--listen", f"127.0.0.1:{self.port}", *self.options],
                stdout=subprocess.DEVNULL, stderr=log, env=self.environment,
            )
        while time.monotonic() - started < 60:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode}; see {self.store.parent}/server.log")
            try:
                if Client(self.port).ask("GET", "/readyz")[0] == 200:
                    return time.monotonic() - started
            except OSError:
                pass
            time.sleep(0.005)
        raise RuntimeError("the server is not ready after a minute")

    def stop(self):
        """Tells it to stop, and waits until it has."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=600)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def rss(self):
        """MiB of memory that the process holds now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def journal_mib(self):
        return sum(path.stat().st_size for path in (self.store / "journal").glob("*.log")) / 2**20

    def run(self, *arguments):
        """A command of the program over the same store: what it prints."""
        command = [self.program, "--store", str(self.store), "--quiet", *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, env=self.environment).stdout


class Client:
    """Requests over one connection, opened again when it is lost."""

    def __init__(self, port, key=None, timeout=120):
        self.headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def ask(self, method, path, body=None, headers=None):
        """Status, headers and bytes of the answer."""
        if not isinstance(body, (bytes, str, type(None))):
            body = json.dumps(body)
        try:
            self.connection.request(method, path, body, {**self.headers, **(headers or {})})
            response = self.connection.getresponse()
            return response.status, response.headers, response.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            raise

    def json(self, method, path, body=None):
        """The answer of a request that goes well."""
        status, _, answer = self.ask(method, path, body)
        if status != 200:
            raise RuntimeError(f"{method} {path}: {status} {answer[:300]!r}")
        return json.loads(answer)

    def log(self, body):
        """Logs rows, and again for as long as the server asks to come back: seconds until the answer, and how often it asked."""
        started, refusals = time.monotonic(), 0
        while (answer := self.ask("POST", "/logs3", body))[0] == 429:
            refusals += 1
            time.sleep(float(answer[1]["Retry-After"]))
        if answer[0] != 200:
            raise RuntimeError(f"POST /logs3: {answer[0]} {answer[2][:300]!r}")
        return time.monotonic() - started, refusals

    def sql(self, query):
        return self.json("POST", "/api/v1/sql", {"query": query})

    def experiment(self, project, name):
        """The id of a new experiment."""
        made = self.json("POST", "/api/experiment/register", {"project_name": project, "experiment_name": name})
        return made["experiment"]["id"]


class Sampler(threading.Thread):
    """The most memory since it was last asked, and the most that the journal held."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.most, self.journal, self.ended = server, 0, 0, False

    def run(self):
        while not self.ended:
            self.most = max(self.most, self.server.rss())
            self.journal = max(self.journal, self.server.journal_mib())
            time.sleep(0.1)

    def take(self):
        taken = self.most, self.journal
        self.most = self.journal = 0
        return taken


class Rows:
    """Traces of one experiment, the same for the same seed but for their ids."""

    def __init__(self, experiment_id, seed=0):
        self.experiment_id, self.random = experiment_id, random.Random(seed)
        self.texts = [" ".join(self.random.choices(WORDS, k=36)) for _ in range(2_000)]
        self.count = 0

    def trace(self):
        """The rows of the next trace, as JSON texts."""
        n, self.count = self.count, self.count + 1
        draw = self.random.choice
        trace = uuid.UUID(int=self.random.getrandbits(128)).hex
        ids = [f"{trace[:15]}{n:x}-{i}" for i in range(SPANS_PER_TRACE)]
        start = 1_750_000_000 + n * 0.25
        head = f'"experiment_id":"{self.experiment_id}","root_span_id":"{trace}","created":"2026-01-01T00:00:00.000000+00:00"'
        caller = '"context":{"caller_filename":"/home/dev/evals/support.py","caller_functionname":"run","caller_lineno":57}'
        question, documents = draw(self.texts), f"{draw(self.texts)} {draw(self.texts)}"
        reply, expected = draw(self.texts), draw(self.texts)
        prompt, completion = 400 + n % 977, 60 + n % 211

        def row(i, kind, name, parent, rest, metrics=""):
            parents = f'["{ids[parent]}"]' if parent is not None else "null"
            return (
                f'{{"id":"{ids[i]}","span_id":"{ids[i]}",{head},"span_parents":{parents},{caller},'
                f'"span_attributes":{{"type":"{kind}","name":"{name}","exec_counter":{i}}},{rest},'
                f'"metrics":{{"start":{start + i / 100},"end":{start + 1.5}{metrics}}}}}'
            )

        category = ("refunds", "account", "shipping", "orders")[n % 4]
        asked = f'"input":{{"question":"{question} {n}","documents":["{documents}"]}},"output":"{reply}"'
        return [
            row(0, "eval", "eval", None,
                f'{asked},"expected":"{expected}","tags":["nightly","{category}"],'
                f'"metadata":{{"model":"large-2","category":"{category}","case":{n},"temperature":0.2}}'),
            row(1, "task", "task", 0, asked),
            row(2, "llm", "chat", 1,
                f'"input":[{{"role":"system","content":"{documents}"}},{{"role":"user","content":"{question} {n}"}}],'
                f'"output":[{{"role":"assistant","content":"{reply}","finish_reason":"stop"}}],'
                f'"metadata":{{"model":"large-2","provider":"local","temperature":0.2,"max_tokens":1024,"seed":{n}}}',
                f',"prompt_tokens":{prompt},"completion_tokens":{completion},"tokens":{prompt + completion}'),
            row(3, "score", "Factuality", 0,
                f'"input":{{"output":"{reply}","expected":"{expected}"}},"output":{{"score":{n % 101 / 100}}},'
                f'"scores":{{"Factuality":{n % 101 / 100}}},"metadata":{{"rationale":"{expected}","choice":"B"}}'),
        ]

    def rows(self, count):
        """As many rows, whole traces."""
        found = []
        while len(found) < count:
            found.extend(self.trace())
        return found

    def bodies(self, count, rows_per_request=100):
        """Requests with so many rows in all."""
        for done in range(0, count, rows_per_request):
            yield body(self.rows(min(rows_per_request, count - done)))


def body(rows):
    """A request that logs rows."""
    return f'{{"rows":[{",".join(rows)}],"api_version":2}}'.encode()


# What SQL says of the rows, whoever is asked: their number, and two sums.
TOTALS = "select count(*) as spans, sum(metrics.prompt_tokens) as tokens, sum(scores.Factuality) as factuality from spans"


def totals_of(rows):
    """What `TOTALS` has to be for rows given as texts."""
    parsed = [json.loads(row) for row in rows]
    tokens = sum(row["metrics"].get("prompt_tokens", 0) for row in parsed)
    return len(parsed), tokens, sum(row.get("scores", {}).get("Factuality", 0) for row in parsed)


def percentile(values, share):
    """The smallest value that so large a share does not exceed."""
    values = sorted(values)
    return values[max(0, math.ceil(share * len(values)) - 1)]


def table(head, rows):
    """A Markdown table; a column is aligned to the right where all its cells are numbers."""
    def is_number(cell):
        return isinstance(cell, (int, float)) or str(cell).replace(",", "").replace(".", "").lstrip("-").isdigit()

    shown = [[f"{cell:,}" if isinstance(cell, int) else f"{cell:.1f}" if isinstance(cell, float) else str(cell) for cell in row] for row in rows]
    rules = ["---:" if all(is_number(row[i]) for row in rows) else "---" for i in range(len(head))]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, rules, *shown])


def arguments(parser):
    """The options that every measurement has, and what was given."""
    parser.add_argument("--evalhouse", default="target/release/evalhouse", help="the program")
    parser.add_argument("--work", type=Path, default=Path("target/bench-server"), help="a folder for stores and logs")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    given.evalhouse, given.work = Path(given.evalhouse).resolve(), given.work.resolve()
    return given
