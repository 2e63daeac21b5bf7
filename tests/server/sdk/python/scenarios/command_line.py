"""The command line of the Python package: braintrust eval, with --list, --jsonl and --filter."""

import json
import os
import subprocess
import sys
from pathlib import Path

from support import check_experiment, new_project, roots

FILE = Path(__file__).resolve().parent.parent / "evals" / "eval_words.py"


def braintrust_eval(project, *arguments):
    done = subprocess.run(
        [sys.executable, "-m", "braintrust.cli", "eval", "--no-progress-bars", *arguments],
        env={**os.environ, "CONFORMANCE_PROJECT": project}, text=True, capture_output=True, timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def run():
    project = new_project()
    listed = braintrust_eval(project, "--list", str(FILE)).stdout
    assert f"{project} [experiment_name=words]" in listed and f"{project} [experiment_name=numbers]" in listed, listed

    done = braintrust_eval(project, "--jsonl", str(FILE))
    summaries = {line["experiment_name"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert summaries.keys() == {"words", "numbers"}
    assert summaries["words"]["scores"]["same_length"]["score"] == 0.75, summaries["words"]
    assert summaries["numbers"]["scores"]["positive"]["score"] == 0.5
    assert summaries["words"]["project_name"] == project
    assert "words" in summaries["words"]["experiment_url"]
    assert len(roots(check_experiment(project, "words"))) == 4
    assert len(roots(check_experiment(project, "numbers"))) == 2

    done = braintrust_eval(project, "--jsonl", str(FILE), "--filter", "metadata.kind=^fruit$")
    filtered = {line["experiment_name"]: line for line in map(json.loads, done.stdout.splitlines())}
    [words] = [line for name, line in filtered.items() if name.startswith("words-")]
    assert words["scores"]["same_length"]["score"] == 0.5, words
    assert len(roots(check_experiment(project, words["experiment_name"]))) == 2

    text = braintrust_eval(project, str(FILE))
    assert "SUMMARY" in text.stdout and "same_length" in text.stdout, text.stdout
