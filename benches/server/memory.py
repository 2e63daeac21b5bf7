#!/usr/bin/env python3
"""The server's memory while millions of spans come, and while one million of them goes.

    python benches/server/memory.py [--evalhouse target/release/evalhouse] [--work DIR]
        [--spans 2000000] [--experiments 20] [--clients 4]

Half of the spans go to one experiment, the others to as many as are asked for, one after the other as evals do. The
memory that the server holds (RSS) is sampled ten times a second, and given for each tenth of the spans. Then the large
experiment is read in two ways: as one streamed export, and page by page as the Python SDK iterates. Prints two tables;
the exit status is 1 if a row is missing.
"""

import argparse
import multiprocessing
import shutil
import sys
import time

from common import SPANS_PER_TRACE, TOTALS, Client, Rows, Sampler, Server, arguments, table

PARTS = 10


def send(port, experiment, seed, count):
    client = Client(port)
    for request in Rows(experiment, seed).bodies(count):
        client.log(request)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spans", type=int, default=2_000_000)
    parser.add_argument("--experiments", type=int, default=20)
    parser.add_argument("--clients", type=int, default=4)
    options = arguments(parser)
    work = options.work / "memory"
    shutil.rmtree(work, ignore_errors=True)
    wrong = []
    with Server(options.evalhouse, work / "store") as server:
        client = Client(server.port, timeout=1_200)
        sampler = Sampler(server)
        sampler.start()
        large = client.experiment("memory", "large")
        part, lines, sent = options.spans // PARTS, [["at the start", 0, 0.0, server.rss(), 0.0]], 0
        of_large = 0
        for number in range(PARTS):
            each = part if number < PARTS // 2 else part // max(1, options.experiments * 2 // PARTS)
            started = time.monotonic()
            for at in range(0, part, each):
                experiment = large if number < PARTS // 2 else client.experiment("memory", f"small-{number}-{at}")
                count = each // options.clients // SPANS_PER_TRACE * SPANS_PER_TRACE
                senders = [multiprocessing.Process(target=send, args=(server.port, experiment, f"{number} {at} {i}", count)) for i in range(options.clients)]
                for sender in senders:
                    sender.start()
                for sender in senders:
                    sender.join()
                    if sender.exitcode:
                        wrong.append("a client failed")
                sent += count * options.clients
                of_large += count * options.clients * (experiment == large)
            most, journal = sampler.take()
            lines.append([f"{(number + 1) * 100 // PARTS} %", sent, part / (time.monotonic() - started), most, journal])
            print(lines[-1], file=sys.stderr)
        started = time.monotonic()
        totals = client.sql(TOTALS)[0]
        most, journal = sampler.take()
        lines.append(["all in the store", totals["spans"], sent / (time.monotonic() - started), most, journal])
        if totals["spans"] != sent:
            wrong.append(f"{totals['spans']:,} spans are there, {sent:,} were sent")
        print(table(["ingest", "spans", "spans/s", "RSS most MiB", "journal most MiB"], lines))

        reads = []
        for name, read in [("export, streamed", export), ("fetch, page by page", pages)]:
            sampler.take()
            started = time.monotonic()
            rows, size = read(client, large)
            seconds = time.monotonic() - started
            reads.append([name, rows, size / 2**20, seconds, rows / seconds, sampler.take()[0]])
            if rows != of_large:
                wrong.append(f"{name} gave {rows:,} spans")
        print()
        print(table(["read", "spans", "MiB", "s", "spans/s", "RSS most MiB"], reads))
        sampler.ended = True
        sampler.join()
    for line in wrong:
        print(f"- {line}")
    print("every row is there" if not wrong else f"{len(wrong)} wrong")
    return 1 if wrong else 0


def export(client, experiment):
    """Reads an export as it comes; the client keeps nothing of it either."""
    client.connection.request("GET", f"/api/v1/experiments/{experiment}/export?rows=spans&format=jsonl")
    response = client.connection.getresponse()
    rows = size = 0
    while part := response.read(1 << 20):
        rows += part.count(b"\n")
        size += len(part)
    return rows, size


def pages(client, experiment):
    """Every page of a thousand traces. Rows are counted by a field that each has once."""
    rows = size = 0
    cursor = "null"
    while cursor != "null" or not size:
        status, _, page = client.ask("POST", f"/v1/experiment/{experiment}/fetch", f'{{"limit":1000,"cursor":{cursor}}}')
        if status != 200:
            raise RuntimeError(f"{status} {page[:300]!r}")
        rows += page.count(b'"_pagination_key":')
        size += len(page)
        cursor = page[len(b'{"cursor":') : page.index(b',"events":')].decode()
    return rows, size


if __name__ == "__main__":
    sys.exit(main())
