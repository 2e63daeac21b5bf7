#!/usr/bin/env python3
"""SIGKILL at random moments under load: what was answered is there, once, as it was last answered.

    python benches/server/kills.py [--evalhouse target/release/evalhouse] [--work DIR] [--rounds 100] [--seed N]

Each round starts the server, lets several clients write to three experiments (new rows, whole rows again, merges,
deletions) while another one reads, which moves rows from the journal into the store, and kills it after 0.1 to 2 seconds.
After every third kill the tail of the journal is torn as a power cut would: bytes that were never answered are cut
short, overwritten, or followed by half a record. Then the server is started again; the time until it is ready is taken,
and all rows are compared with what was answered. A request that was under way when the server died may be there or not,
as a whole. At the end the same after `optimize`. Prints a table; the exit status is 1 if a row is missing, there twice,
or not as it should be, or if a start took 2 seconds.
"""

import argparse
import json
import random
import re
import shutil
import struct
import sys
import threading
import time
from collections import Counter

from common import Client, Rows, Server, arguments, body, percentile, table

CLIENTS = 6
ROWS_PER_REQUEST = 20
# Of this many newest rows, some are written again.
RECENT = 400
START_MAX = 2.0
MARK = b"\xffrecord\xff"
DELETED = None


class Writer:
    """Writes rows that no other writer touches, and knows what each of them may be now."""

    def __init__(self, experiments, seed):
        self.random = random.Random(seed)
        self.rows = [Rows(experiment, f"{seed} {experiment}") for experiment in experiments]
        # By experiment and id: the turn of the last answered write, and of one that was not answered.
        self.answered, self.under_way = {}, {}
        self.ids = {experiment: [] for experiment in experiments}
        self.turn, self.refused = 0, []

    def request(self):
        """Rows of one request, and what they make of which rows."""
        self.turn += 1
        rows, turns = [], {}
        maker = self.random.choice(self.rows)
        known = self.ids[maker.experiment_id]
        recent = known[-RECENT:]
        for id in self.random.sample(recent, min(len(recent), ROWS_PER_REQUEST // 4)):
            key = maker.experiment_id, id
            kind = self.random.random()
            row = {"id": id, "experiment_id": maker.experiment_id}
            if kind < 0.2:
                row |= {"_object_delete": True}
            elif self.answered.get(key, DELETED) is DELETED or kind < 0.5:
                row |= {"input": {"again": self.turn}, "metadata": {"turn": self.turn}}
            else:
                row |= {"_is_merge": True, "metadata": {"turn": self.turn}}
            turns[key] = DELETED if kind < 0.2 else self.turn
            rows.append(json.dumps(row))
        for text in maker.rows(ROWS_PER_REQUEST - len(rows)):
            row = json.loads(text)
            row.setdefault("metadata", {})["turn"] = self.turn
            turns[maker.experiment_id, row["id"]] = self.turn
            known.append(row["id"])
            rows.append(json.dumps(row))
        return body(rows), turns

    def run(self, port):
        client = Client(port)
        while True:
            content, turns = self.request()
            self.under_way = turns
            try:
                status, _, answer = client.ask("POST", "/logs3", content)
            except Exception:  # The server was killed: whatever that looks like, it was no answer.
                return
            if status == 200:
                self.answered |= turns
            else:
                self.refused.append((status, answer))
            self.under_way = {}


def tear(server, answered, draw):
    """Damages what was not answered at the end of the journal; says how."""
    segments = sorted((server.store / "journal").glob("evalhouse-wal-*.log"))
    if not segments:
        return "nothing to tear"
    data = segments[-1].read_bytes()
    last = data.rfind(MARK)
    ids = {id.decode() for id in re.findall(rb'"id":\s?"([^"]+)"', data[last:])} if last > 0 else set()
    # A record of rows that nobody was told about may go; one with an answered row stays, and more follows it.
    if last > 0 and not ids & answered and ids:
        if draw.random() < 0.5:
            segments[-1].write_bytes(data[: draw.randrange(last, len(data))])
            return "cut short"
        at = draw.randrange(last, len(data))
        segments[-1].write_bytes(data[:at] + draw.randbytes(len(data) - at))
        return "overwritten"
    payload = draw.randbytes(draw.randrange(1, 5_000))
    half = MARK + struct.pack("<QQ", len(payload) + draw.randrange(1, 5_000), draw.getrandbits(64)) + payload
    follows = draw.choice([half, half[: draw.randrange(1, 24)], bytes(draw.randrange(1, 9_000)), payload])
    segments[-1].write_bytes(data + follows)
    return "half a record follows"


def compare(server, writers, wrong, when):
    """Every row that is there against what was answered; what it is becomes what is known."""
    client = Client(server.port)
    stored = Counter()
    turns = {}
    for row in client.sql("select experiment_id, id, metadata.turn as turn from spans"):
        key = row["experiment_id"], row["id"]
        stored[key] += 1
        turns[key] = int(row["turn"])
    for writer in writers:
        possible = {key: [turn] for key, turn in writer.answered.items()}
        # What was under way is there as a whole or not at all.
        came = {turns.get(key, DELETED) == turn for key, turn in writer.under_way.items() if writer.answered.get(key, DELETED) != turn}
        if len(came) > 1:
            wrong.append(f"{when}: half of a request is there")
        for key, turn in writer.under_way.items():
            possible.setdefault(key, [DELETED]).append(turn)
        for key, allowed in possible.items():
            if turns.get(key, DELETED) not in allowed:
                wrong.append(f"{when}: row {key[1]} is of turn {turns.get(key)}, answered was {allowed}")
            if stored[key] > 1:
                wrong.append(f"{when}: row {key[1]} is there {stored[key]} times")
            writer.answered[key] = turns.get(key, DELETED)
        writer.under_way = {}
    unknown = stored.keys() - {key for writer in writers for key in writer.answered}
    if unknown:
        wrong.append(f"{when}: {len(unknown)} rows that nobody wrote: {sorted(unknown)[:3]}")
    return len(turns)


def reads(port, experiments, draw):
    client = Client(port)
    try:
        while True:
            time.sleep(draw.random() / 2)
            client.ask("POST", f"/v1/experiment/{draw.choice(experiments)}/fetch", {"limit": 10})
    except Exception:  # As above.
        return


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = arguments(parser)
    work = options.work / "kills"
    shutil.rmtree(work, ignore_errors=True)
    draw = random.Random(options.seed)
    server = Server(options.evalhouse, work / "store")
    server.start()
    experiments = [Client(server.port).experiment("kills", name) for name in ("a", "b", "c")]
    server.stop()
    writers = [Writer(experiments, f"{options.seed} {number}") for number in range(CLIENTS)]
    starts, wrong, torn, began = [], [], Counter(), time.monotonic()
    for number in range(options.rounds):
        starts.append(server.start())
        compare(server, writers, wrong, f"before kill {number}")
        if wrong:
            break
        threads = [threading.Thread(target=writer.run, args=(server.port,)) for writer in writers]
        threads.append(threading.Thread(target=reads, args=(server.port, experiments, random.Random(number))))
        for thread in threads:
            thread.start()
        time.sleep(draw.uniform(0.1, 2))
        server.kill()
        for thread in threads:
            thread.join()
        if number % 3 == 2:
            torn[tear(server, {id for writer in writers for _, id in writer.answered}, draw)] += 1
    starts.append(server.start())
    rows = compare(server, writers, wrong, "after the last kill")
    server.stop()
    server.run("optimize")
    starts.append(server.start())
    after = compare(server, writers, wrong, "after optimize")
    server.stop()
    wrong += [f"refused: {refused}" for writer in writers for refused in writer.refused]
    if max(starts) >= START_MAX:
        wrong.append(f"a start took {max(starts):.2f} s")
    print(table(["kills", "torn tails", "rows answered", "rows at the end", "after optimize", "start p50 ms", "start max ms", "minutes"], [[
        options.rounds, ", ".join(f"{how} × {count}" for how, count in torn.items()), sum(len(writer.answered) for writer in writers), rows, after,
        percentile(starts, 0.5) * 1000, max(starts) * 1000, (time.monotonic() - began) / 60,
    ]]))
    for line in wrong[:50]:
        print(f"- {line}")
    print(f"{len(wrong)} wrong" if wrong else "every answered row is there once, as it was answered last")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
