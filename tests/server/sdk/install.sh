#!/usr/bin/env bash
# Installs the two real SDKs at the pinned versions: Python into ./venv (or the folder given), JavaScript
# into javascript/node_modules. Without dependencies of their own choosing: the Python SDK may ask for a
# newer certifi than the index has, so requirements.txt names all of them, and takes the newest certifi.
set -euo pipefail
cd "$(dirname "$0")"
venv="${1:-venv}"

python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps -r python/requirements.txt
"$venv/bin/python" -c 'import braintrust.cli.eval'

# No install scripts: esbuild and bt come as packages of their own for this platform.
(cd javascript && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
(cd javascript && node -e 'import("braintrust").then((sdk) => sdk.Eval || process.exit(1))')
