"""Runs the scenarios of the real Python SDK against the server in BRAINTRUST_APP_URL.

    python conformance.py                 every scenario, one after another
    python conformance.py feedback spans  those whose name contains a word
    python conformance.py --parallel 8    8 copies of the Eval scenario at once
    python conformance.py --list          the names

Each scenario runs in a process of its own and in projects of its own.
"""

import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
NAMES = sorted(path.stem for path in (HERE / "scenarios").glob("*.py"))
TIMEOUT_SECONDS = 300


def run_one(name):
    """Runs a scenario in this process; an exception is its failure."""
    sys.path.insert(0, str(HERE))
    __import__(f"scenarios.{name}", fromlist=["run"]).run()


def start(name):
    """Runs a scenario in a process of its own; gives its reason to fail, or None, and what it printed."""
    with tempfile.TemporaryDirectory() as folder:
        env = {
            **os.environ,
            "BRAINTRUST_ALL_PUBLISH_PAYLOADS_DIR": str(Path(folder) / "sent"),
            "HOME": folder,
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        env.setdefault("BRAINTRUST_API_KEY", "conformance")
        try:
            done = subprocess.run(
                [sys.executable, __file__, "--one", name],
                env=env, cwd=folder, text=True, capture_output=True, timeout=TIMEOUT_SECONDS,
            )
        except subprocess.TimeoutExpired:
            return f"no end after {TIMEOUT_SECONDS} s", ""
    output = done.stdout + done.stderr
    if done.returncode == 0:
        return None, output
    lines = [line for line in done.stderr.splitlines() if line.strip()] or ["no message"]
    return lines[-1][:2000], output


def main(arguments):
    if "BRAINTRUST_APP_URL" not in os.environ:
        sys.exit("Set BRAINTRUST_APP_URL to the server's address.")
    copies = 1
    if "--parallel" in arguments:
        at = arguments.index("--parallel")
        copies = int(arguments[at + 1])
        arguments = arguments[:at] + (arguments[at + 2:] or ["eval_scores"])
    names = [name for name in NAMES if not arguments or any(word in name for word in arguments)]
    if not names:
        sys.exit(f"No scenario is called like {arguments}; there are {', '.join(NAMES)}.")
    failed = 0
    with ThreadPoolExecutor(copies) as pool:
        runs = [name for name in names for _ in range(copies)]
        for name, (reason, output) in zip(runs, pool.map(start, runs)):
            failed += reason is not None
            print(f"ok {name}" if reason is None else f"FAIL {name}: {reason}", flush=True)
            if reason is not None:
                print(output, file=sys.stderr, flush=True)
    print(f"{len(runs) - failed} passed, {failed} failed", flush=True)
    sys.exit(failed > 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        run_one(sys.argv[2])
    elif sys.argv[1:] == ["--list"]:
        print("\n".join(NAMES))
    else:
        main(sys.argv[1:])
