#!/usr/bin/env bash
# Runs every scenario of the two real SDKs against a server over a new store: run.sh PROGRAM
set -euo pipefail
program="$(realpath "$1")"
cd "$(dirname "$0")"
[ -d venv ] && [ -d javascript/node_modules ] || ./install.sh

folder="$(mktemp -d)"
"$program" --store "$folder/store" serve --listen 127.0.0.1:0 > "$folder/lines" 2> "$folder/log" &
server=$!
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
for _ in $(seq 50); do
  [ "$(wc -l < "$folder/lines")" -ge 2 ] && break
  kill -0 "$server" || { cat "$folder/log"; exit 1; }
  sleep 0.1
done
# The two lines that the server prints are all that an SDK needs.
source "$folder/lines"

venv/bin/python python/conformance.py
venv/bin/python python/conformance.py --parallel 8
node javascript/conformance.mjs
