#!/usr/bin/env python3
"""schemathesis against a server with data: whatever its description allows, and what it does not.

    python -m venv .venv && .venv/bin/pip install -r benches/server/requirements.txt
    .venv/bin/python benches/server/schema.py [--evalhouse target/release/evalhouse] [--work DIR]
        [--examples 50] [--seed 1]

Starts a server over a store with an experiment of the made-up rows, a dataset and the bundled experiments, and lets
schemathesis read `/openapi.json` and ask: examples, the edges of every parameter, random requests, and sequences of them.
Checked are that nothing is a 5xx, that statuses, content types and answers are as described, that methods which are not
described are refused, that what does not fit the description is refused, and that no request takes a minute. That a
request which fits is accepted is not checked: the names in it are made up. The exit status is that of schemathesis; the
server has to live at the end.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from common import Client, Rows, Server, arguments

CHECKS = ("not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
          "response_schema_conformance,negative_data_rejection,unsupported_method,allow_header_conformance")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", type=Path, default=Path("data/support-assistant"))
    options = arguments(parser)
    work = options.work / "schema"
    shutil.rmtree(work, ignore_errors=True)
    server = Server(options.evalhouse, work / "store", "--log-level", "error")
    work.mkdir()
    server.run("import", str(options.data), "--project", "support-assistant")
    with server:
        client = Client(server.port)
        for request in Rows(client.experiment("made up", "rows")).bodies(400):
            client.json("POST", "/logs3", request)
        client.json("POST", "/api/dataset/register", {"project_name": "made up", "dataset_name": "questions"})
        status = subprocess.run([
            Path(sys.executable).with_name("schemathesis"), "run", f"http://localhost:{server.port}/openapi.json",
            "--checks", CHECKS, "--max-examples", str(options.examples), "--seed", str(options.seed), "--workers", "2",
            "--continue-on-failure", "--max-response-time", "60", "--request-timeout", "90", "--suppress-health-check", "all", "--no-shrink",
        ], cwd=work, env={**os.environ, "NO_COLOR": "1"}).returncode
        Client(server.port).json("GET", "/healthz")
    return status


if __name__ == "__main__":
    sys.exit(main())
