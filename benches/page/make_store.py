#!/usr/bin/env python3
"""The store that the page is measured on, made up and seeded.

    python benches/page/make_store.py --evalhouse target/release/evalhouse --work SCRATCH_DIR \\
        [--experiments 1000] [--cases 1000] [--trials 2] [--scores 10] [--small 1000] [--long 100000]

Writes NDJSON below SCRATCH_DIR (about 0.8 GB at the defaults), imports it into SCRATCH_DIR/store, and optimizes:
the project `history` with large experiments, `many` with small ones for the list, `long` with one of many cases
and one that it is held against.
"""

import argparse
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "duckdb"))
from generate_history import write  # noqa: E402


def make(folder, experiments, cases, trials, scores, seed):
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(experiments):
        path = folder / f"run-{number:04}.jsonl"
        if not path.exists():
            write(path, number, cases, trials, scores, seed)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evalhouse", type=Path, help="without it, only the files are written")
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--experiments", type=int, default=1000)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--trials", type=int, default=2)
    parser.add_argument("--scores", type=int, default=10)
    parser.add_argument("--small", type=int, default=1000, help="small experiments for the list")
    parser.add_argument("--long", type=int, default=100_000, help="cases of the long experiment")
    options = parser.parse_args()
    projects = {
        "history": (options.experiments, options.cases, options.trials, options.scores, 1),
        "many": (options.small, 5, 1, 3, 2),
        "long": (2, options.long, 1, options.scores, 3),
    }
    for project, sizes in projects.items():
        make(options.work / project, *sizes)
    if options.evalhouse is None:
        return
    store = ["--quiet", "--store", str(options.work / "store")]
    for project in projects:
        subprocess.run([options.evalhouse, *store, "import", options.work / project, "--project", project], check=True)
    subprocess.run([options.evalhouse, *store, "optimize"], check=True)


if __name__ == "__main__":
    main()
