"""What the scenarios share: names, what was sent, what was read, and the summary computed a second time."""

import json
import math
import os
import uuid
from collections import defaultdict
from pathlib import Path
from urllib.parse import quote

import braintrust
import requests

APP_URL = os.environ["BRAINTRUST_APP_URL"].rstrip("/")
HEADERS = {"Authorization": f"Bearer {os.environ['BRAINTRUST_API_KEY']}"}

# Fields of a row that say what to do with it, and are not part of it.
CONTROLS = {"_is_merge", "_merge_paths", "_array_delete", "_object_delete", "_audit_source", "_audit_metadata"}
# Fields that say which object a row belongs to.
OBJECT_FIELDS = ("experiment_id", "dataset_id", "project_id")
# Fields that a merge never changes.
KEPT = {"id", "created", "span_id", "root_span_id", "span_parents", "_parent_id"}
# Fields that the server may add to a row.
ADDED = {
    "_xact_id", "_pagination_key", "is_root", "project_id", "org_id", "log_id", "created", "span_id",
    "root_span_id", "span_parents", "comments", "audit_data", "classifications", "facets",
}


def new_project(words="sdk"):
    return f"{words} {uuid.uuid4().hex[:12]}"


# ---- what was sent -------------------------------------------------------------------------------


def merge(into, row, top=True):
    for key, value in row.items():
        old = into.get(key)
        if top and key == "tags" and isinstance(old, list) and isinstance(value, list):
            into[key] = old + [tag for tag in value if tag not in old]
        elif isinstance(old, dict) and isinstance(value, dict):
            merge(old, value, top=False)
        else:
            into[key] = value


def sent_rows(object_id):
    """The rows of an object as the requests of this process, merged, leave them: {id: row}."""
    folder = Path(os.environ["BRAINTRUST_ALL_PUBLISH_PAYLOADS_DIR"])
    rows = {}
    for path in sorted(folder.glob("payload_*"), key=lambda path: float(path.name.split("_")[1])):
        for row in json.loads(path.read_text())["rows"]:
            if object_id not in [row.get(field) for field in OBJECT_FIELDS] or "comment" in row:
                continue
            stored = rows.get(row["id"])
            if row.get("_object_delete"):
                rows.pop(row["id"], None)
            elif row.get("_is_merge") and stored is not None:
                merge(stored, {key: value for key, value in row.items() if key not in KEPT})
            else:
                rows[row["id"]] = row
    return {
        id: {key: value for key, value in row.items() if key not in CONTROLS} for id, row in rows.items()
    }


# ---- what was read -------------------------------------------------------------------------------


def difference(wanted, got, path=""):
    """The first place where two JSON values differ, or None. 1 and 1.0 are the same number."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        for key in wanted.keys() | got.keys():
            if key not in got:
                return f"{path}.{key} is missing"
            if key not in wanted:
                return f"{path}.{key} was not sent: {short(got[key])}"
            found = difference(wanted[key], got[key], f"{path}.{key}")
            if found:
                return found
        return None
    if isinstance(wanted, list) and isinstance(got, list):
        if len(wanted) != len(got):
            return f"{path} has {len(got)} elements, not {len(wanted)}"
        for at, pair in enumerate(zip(wanted, got)):
            found = difference(*pair, f"{path}[{at}]")
            if found:
                return found
        return None
    if number(wanted) and number(got):
        same = wanted == got and not (type(wanted) is not type(got) and abs(wanted) > 2**53)
    else:
        same = type(wanted) is type(got) and wanted == got
    return None if same else f"{path} is {short(got)}, not {short(wanted)}"


def number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def short(value):
    text = repr(value)
    return text if len(text) < 200 else text[:200] + "…"


def check_rows(wanted, rows):
    """Every row sent is there once, and equals what was sent field by field."""
    ids = [row["id"] for row in rows]
    assert len(set(ids)) == len(ids), f"{len(ids) - len(set(ids))} rows came twice"
    missing, extra = wanted.keys() - set(ids), set(ids) - wanted.keys()
    assert not missing, f"{len(missing)} of {len(wanted)} rows are missing: {sorted(missing)[:3]}"
    assert not extra, f"{len(extra)} rows were never sent: {[row for row in rows if row['id'] in extra][:1]}"
    for row in rows:
        sent = wanted[row["id"]]
        for key in sent.keys() | row.keys():
            if key == "log_id" or (sent.get(key) is None and (row.get(key) is None or key in ADDED)):
                continue
            assert key in sent, f"field {key} was not sent: {short(row[key])}"
            found = difference(sent[key], row.get(key), key)
            assert found is None, f"row {row['id']}: {found}"
        xact = row["_xact_id"]
        assert isinstance(xact, str) and xact.isdigit(), f"_xact_id {xact!r}"
    assert len({len(row["_xact_id"]) for row in rows}) <= 1, "_xact_id has no fixed width"
    return rows


def check_spans(wanted, rows):
    check_rows(wanted, rows)
    for row in rows:
        assert row.get("is_root") is (not row.get("span_parents")), f"is_root is {row.get('is_root')!r}"
    return rows


def check_experiment(project, name):
    """Opens an experiment, reads it, compares it with what was sent; gives its rows."""
    braintrust.flush()
    opened = braintrust.init(project=project, experiment=name, open=True)
    return check_spans(sent_rows(opened.id), list(opened))


def roots(rows):
    return [row for row in rows if not row.get("span_parents")]


def children(rows, name):
    return [row for row in rows if row["span_attributes"]["name"] == name]


def btql(query, **more):
    """All rows of a query in JSON form, page by page."""
    braintrust.login()
    rows, cursor = [], None
    while True:
        answer = braintrust.api_conn().post("btql", json={"query": {**query, "cursor": cursor}, **more})
        answer.raise_for_status()
        answer = answer.json()
        rows += answer["data"]
        cursor = answer.get("cursor")
        if not cursor:
            return rows


def source(kind, id):
    return {"op": "function", "name": {"op": "ident", "name": [kind]}, "args": [{"op": "literal", "value": id}]}


def get(path, **query):
    answer = requests.get(path if path.startswith("http") else APP_URL + path, params=query, headers=HEADERS, timeout=60)
    assert answer.status_code == 200, f"GET {answer.url}: {answer.status_code} {answer.text[:200]}"
    return answer


def check_link(url, *tail):
    """The link has the form .../app/{org}/p/{project}/{kind}/{name}, percent-encoded, and opens."""
    end = "/p/" + "/".join(quote(part, safe="") for part in tail)
    assert url.startswith(f"{APP_URL}/app/") and url.endswith(end), f"{url} does not end in {end}"
    get(url)


def raises(error, call):
    try:
        call()
    except error as raised:
        return raised
    raise AssertionError(f"no {error.__name__} was raised")


# ---- the summary, computed a second time ---------------------------------------------------------

LOWER_IS_BETTER = {
    "duration", "llm_duration", "prompt_tokens", "completion_tokens", "total_tokens", "estimated_cost",
    "prompt_cached_tokens", "prompt_cache_creation_tokens",
}
UNITS = {"start": "s", "end": "s", "duration": "s", "llm_duration": "s", "estimated_cost": "$"}


def mean(values):
    values = [value for value in values if value is not None]
    return math.fsum(values) / len(values) if values else None


def trace_metrics(spans):
    spans = [span for span in spans if span["span_attributes"].get("purpose") != "scorer"]
    llm = [span["metrics"] for span in spans if span["span_attributes"].get("type") == "llm"]
    took = lambda metrics: metrics["end"] - metrics["start"]
    timed = [span for span in spans if span["span_attributes"].get("type") == "task"] or roots(spans)
    metrics = {
        "start": min(span["metrics"]["start"] for span in spans),
        "end": max(span["metrics"]["end"] for span in spans),
        "duration": took(timed[0]["metrics"]),
    }
    if llm:
        metrics["llm_duration"] = sum(map(took, llm))
        for name in ["prompt_tokens", "completion_tokens", "prompt_cached_tokens", "prompt_cache_creation_tokens"]:
            if any(name in one for one in llm):
                metrics[name] = sum(one.get(name, 0) for one in llm)
        if "prompt_tokens" in metrics or "completion_tokens" in metrics:
            metrics["total_tokens"] = metrics.get("prompt_tokens", 0) + metrics.get("completion_tokens", 0)
    costs = [span["metrics"]["estimated_cost"] for span in spans if "estimated_cost" in span["metrics"]]
    if costs:
        metrics["estimated_cost"] = sum(costs)
    return metrics


def traces(rows):
    """(key, scores, metrics) of each trace. Trials have the same key."""
    grouped = defaultdict(list)
    for row in rows:
        grouped[row["root_span_id"]].append(row)
    for spans in grouped.values():
        scores = defaultdict(list)
        for span in spans:
            for name, value in (span.get("scores") or {}).items():
                scores[name].append(value)
        key = json.dumps(roots(spans)[0].get("input"), sort_keys=True)
        yield key, {name: mean(values) for name, values in scores.items()}, trace_metrics(spans)


def compute_summary(rows, base_rows, part):
    """{name: (value, diff, improvements, regressions)}; part 1 is scores, part 2 metrics."""
    now, before = list(traces(rows)), list(traces(base_rows or []))
    matched = {trace[0] for trace in now} & {trace[0] for trace in before}

    def values(of, name, keys=None):
        return [trace[part].get(name) for trace in of if keys is None or trace[0] in keys]

    summary = {}
    for name in {name for trace in now for name in trace[part]}:
        value = mean(values(now, name))
        if value is None:
            continue
        ours, theirs = mean(values(now, name, matched)), mean(values(before, name, matched))
        better = worse = 0
        for key in matched:
            one, other = mean(values(now, name, {key})), mean(values(before, name, {key}))
            if one is not None and other is not None and not close(one, other):
                up = (one > other) != (name in LOWER_IS_BETTER and part == 2)
                better, worse = better + up, worse + (not up)
        diff = None if ours is None or theirs is None else ours - theirs
        summary[name] = (value, diff, better, worse)
    return summary


def close(one, other):
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-7 if abs(one) < 1e6 else 1e-4)


def check_summary(summary, rows, base_name=None, base_rows=None):
    """The summary that the SDK gives says what the rows say."""
    assert summary.comparison.status == "success", summary.comparison
    assert summary.comparison_experiment_name == base_name, (
        f"compared with {summary.comparison_experiment_name!r}, not {base_name!r}"
    )
    for part, field, entries in [(1, "score", summary.scores), (2, "metric", summary.metrics)]:
        wanted = compute_summary(rows, base_rows, part)
        missing = wanted.keys() - entries.keys()
        assert not missing, f"the summary lacks {sorted(missing)}; it has {sorted(entries)}"
        for name, entry in entries.items():
            if name not in wanted:
                assert part == 2 and not getattr(entry, field), f"the summary has {entry}, which has no value"
                continue
            value, diff, better, worse = wanted[name]
            assert entry.name == name
            assert close(getattr(entry, field), value), f"{name} is {getattr(entry, field)}, not {value}"
            if name in ("start", "end"):
                assert entry.diff is None, f"{name} has a diff, {entry.diff}"
                continue
            assert close(entry.diff, diff), f"the diff of {name} is {entry.diff}, not {diff}"
            counts = (entry.improvements, entry.regressions)
            assert counts == (better, worse), f"improvements and regressions of {name}: {counts}, not {(better, worse)}"
            if part == 2:
                assert entry.unit == UNITS.get(name, "tok"), f"the unit of {name} is {entry.unit}"
    str(summary)
