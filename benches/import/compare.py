#!/usr/bin/env python3
"""The import of an Inspect log beside `inspect_ai.analysis.samples_df`, which reads the same log.

    python benches/import/compare.py [--evalhouse target/release/evalhouse] [--work DIR]
        [--samples 20000] [--words 180] [--full] [--runs 1]

The log is made up by the tool's own writer (`generate.py`) and kept in DIR for the next time. 20,000 samples of 180
words are 0.1 GB on disk and 0.4 GB unpacked; 200,000 are ten times that, and take the tool half an hour or more to write.

What is fair about it: both read the same file from the disk's cache, one after the other, each in a process of its
own; the time of a process is taken from outside, and from inside for `samples_df`, whose imports take seconds.
`samples_df` reads what the log says of each sample in short (`summaries.json`); evalhouse reads every sample whole, with
all spans, checks and rolls up every trace, and stores it. With `--full` the data frame is made of the whole samples as
well, which holds all of them in memory. Both are asked how many samples there are and for the mean of each score.

Prints a table; the exit status is 1 if the answers differ.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCORES = ("includes", "brevity")
GRADES = {"C": 1.0, "I": 0.0}

FRAME = """
import json, sys, time
from inspect_ai.analysis import samples_df
started = time.perf_counter()
frame = samples_df(sys.argv[1], full=sys.argv[2] == "full", quiet=True)
seconds = time.perf_counter() - started
grades = json.loads(sys.argv[3])
number = lambda value: grades.get(value, value)
means = {name: float(frame["score_" + name].map(number).astype(float).mean()) for name in sys.argv[4:]}
print(json.dumps({"seconds": seconds, "samples": len(frame), "means": means}))
"""


def measured(command):
    """The output of a command, the seconds that it took, and the most memory that it held, in MiB."""
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen([str(part) for part in command], stdout=output)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        if status:
            raise SystemExit(f"`{command[0]}` ended with status {os.waitstatus_to_exitcode(status)}")
        output.seek(0)
        return output.read().decode(), seconds, usage.ru_maxrss / 1024


def imported(program, store, log):
    """An import into a new store, and what the store then says."""
    shutil.rmtree(store, ignore_errors=True)
    _, seconds, memory = measured([program, "--store", store, "import", log, "--project", "import"])
    means = ", ".join(f"avg(scores.{name}) AS {name}" for name in SCORES)
    sql = f"SELECT count(*) AS samples, {means} FROM cases"
    answer, _, _ = measured([program, "--store", store, "--format", "json", "sql", sql])
    [row] = json.loads(answer)
    return {"seconds": seconds, "memory": memory, "samples": row["samples"], "means": {name: row[name] for name in SCORES}}


def framed(log, extent):
    answer, _, memory = measured([sys.executable, "-c", FRAME, log, extent, json.dumps(GRADES), *SCORES])
    return {**json.loads(answer), "memory": memory}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evalhouse", type=Path, default=ROOT / "target/release/evalhouse")
    parser.add_argument("--work", type=Path, default=ROOT / "target/bench-import")
    parser.add_argument("--samples", type=int, default=20_000)
    parser.add_argument("--words", type=int, default=180, help="words of each question and of each answer")
    parser.add_argument("--full", action="store_true", help="make a data frame of the whole samples as well")
    parser.add_argument("--runs", type=int, default=1, help="the fastest of so many counts, for both")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    log = options.work / f"{options.samples}-{options.words}.eval"
    if not log.exists():
        import generate

        unfinished = log.with_name("unfinished.eval")
        generate.write(unfinished, options.samples, options.words)
        unfinished.rename(log)

    readers = {"evalhouse import": lambda: imported(options.evalhouse, options.work / "store", log)}
    readers["samples_df"] = lambda: framed(log, "summaries")
    if options.full:
        readers["samples_df, full"] = lambda: framed(log, "full")
    found = {}
    for _ in range(options.runs):
        for name, read in readers.items():
            answer = read()
            if name not in found or answer["seconds"] < found[name]["seconds"]:
                found[name] = answer

    ours = found["evalhouse import"]
    print(f"{options.samples:,} samples, {log.stat().st_size / 1e6:,.0f} MB\n")
    print("| | seconds | times ours | memory, MiB |\n| --- | ---: | ---: | ---: |")
    for name, answer in found.items():
        print(f"| {name} | {answer['seconds']:.2f} | {answer['seconds'] / ours['seconds']:.1f} | {answer['memory']:,.0f} |")
    wrong = [
        f"{name}: {answer['samples']} samples, {answer['means']}"
        for name, answer in found.items()
        if answer["samples"] != options.samples
        or any(abs(answer["means"][score] - ours["means"][score]) > 1e-9 for score in SCORES)
    ]
    print("\n" + ("The answers differ: " + "; ".join(wrong) if wrong else f"The answers agree: {ours['means']}"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
