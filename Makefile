# Two commands do everything: `make demo` and `make test`.

PYTHON ?= python3
VENV := .venv
STORE := target/demo-store
PROGRAM := target/release/evalhouse
SERVER := $(addprefix bench-server-,hostile schema kills trace memory ingest)

.PHONY: build demo test check page sdk docs bench bench-duckdb bench-history bench-import bench-page $(SERVER) bench-server-long

build: web/dist/index.html
	cargo build --release --bin evalhouse

# The page, which becomes a part of the program.
web/dist/index.html: web/node_modules/ready web/index.html web/tsconfig.json web/vite.config.ts docs/openapi.json $(shell find web/src -type f)
	cd web && npm run --silent build

web/node_modules/ready: web/package.json web/package-lock.json
	cd web && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# Builds, imports the bundled data, prints the experiments and an honest comparison, and serves the page.
demo: build
	@rm -rf $(STORE)
	$(PROGRAM) --store $(STORE) import data/support-assistant --project support-assistant
	@echo
	$(PROGRAM) --store $(STORE) experiments
	@echo
	$(PROGRAM) --store $(STORE) diff baseline prompt-v2
	@echo
	$(PROGRAM) --store $(STORE) diff baseline prompt-v2 --where "metadata.category = 'refunds'"
	@echo
	$(if $(CI),@echo "evalhouse serve would show it as a page",$(PROGRAM) --store $(STORE) serve)

# Everything that CI runs.
test: web/dist/index.html check $(VENV)/ready
	EVALHOUSE_PYTHON=$(VENV)/bin/python cargo test --release
	$(MAKE) page sdk
	$(VENV)/bin/python data/generate.py --check

# The page in a real browser.
CHROMIUM ?= $(shell command -v chromium chromium-browser google-chrome | head -1)
page: build
	$(if $(CHROMIUM),cd web && EVALHOUSE_BIN=../$(PROGRAM) CHROMIUM=$(CHROMIUM) npm --silent test,@echo "skipped: the tests of the page need Chromium")

# The real Braintrust SDKs of both languages against the server.
sdk: build
	tests/server/sdk/run.sh $(PROGRAM)

# What needs no test run: format, lints.
check: web/node_modules/ready
	cargo fmt --all --check
	cargo clippy --release --all-targets -- --deny warnings
	cd web && npm run --silent format:check

# Writes docs/functions.md, docs/cli.md and docs/openapi.json from the program.
docs: build
	$(PROGRAM) generate-docs docs

# Kernels and queries with criterion, then side by side with DuckDB.
bench: bench-duckdb
	cargo bench

# EVALHOUSE_DATA names the folder that holds zeroeval/gsm; without it the bundled data is used.
bench-duckdb: build $(VENV)/ready
	$(VENV)/bin/pip install --quiet -r benches/duckdb/requirements.txt
	$(VENV)/bin/python benches/duckdb/compare.py --evalhouse $(PROGRAM) \
	  --data $(or $(EVALHOUSE_DATA),../shared/data)/zeroeval/gsm --work target/bench --output docs/BENCHMARKS.md

# A made-up history of 1,000 experiments, side by side with DuckDB: about 0.8 GB of NDJSON below target/.
# HISTORY="--experiments 100 --cases 200" makes a smaller one; --output FILE.md writes the table.
bench-history: build $(VENV)/ready
	$(VENV)/bin/pip install --quiet -r benches/duckdb/requirements.txt
	$(VENV)/bin/python benches/duckdb/history.py --evalhouse $(PROGRAM) --work target/bench $(HISTORY)

# The import of a made-up Inspect log, side by side with the tool's own reader (benches/import/README.md).
# BENCH="--samples 200000" makes it 1 GB.
bench-import: build $(VENV)/ready
	$(VENV)/bin/pip install --quiet -r benches/import/requirements.txt
	$(VENV)/bin/python benches/import/compare.py --evalhouse $(PROGRAM) --work target/bench-import $(BENCH)

# The server under load, under attack and killed (benches/server/README.md). BENCH="--spans 20000" gives options.
bench-server-long: BENCH += --long 3
bench-server-long: bench-server-ingest
$(SERVER): bench-server-%: build $(VENV)/ready
	$(VENV)/bin/pip install --quiet -r benches/server/requirements.txt
	$(VENV)/bin/python benches/server/$*.py --evalhouse $(PROGRAM) --work target/bench-server $(BENCH)

# The page as people use it, over a made-up store of thousands of experiments: about 0.8 GB of NDJSON below target/.
bench-page: build
	$(PYTHON) benches/page/make_store.py --evalhouse $(PROGRAM) --work target/page-bench
	node benches/page/measure.mjs --evalhouse $(PROGRAM) --work target/page-bench

$(VENV)/ready: tests/reference/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet -r tests/reference/requirements.txt
	@touch $@
