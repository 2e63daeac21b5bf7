#!/usr/bin/env python3
"""Recomputes what `evalhouse diff` and `evalhouse show` report, straight from raw files.

    python tests/reference/recompute.py BASE CANDIDATE [--key metadata.case_id] [--where metadata.category=refunds]
    python tests/reference/recompute.py --summary FILE [--key metadata.case_id]

An independent second opinion: plain Python with numpy and scipy, none of our code, every rule
written out as the semantics page states it. Files are JSON lines, a JSON array, or a fetch page
({"events": [...]}); plain, .gz or .zst. It reads a file whole, and is meant for small ones.
"""

import argparse
import gzip
import io
import json
import math
from collections import defaultdict
from pathlib import Path

import numpy as np
from scipy import stats

EPSILON = 1e-9  # a smaller change is no change
EXACT_LIMIT = 16  # sign-flip permutation is exact up to 2^16 assignments


# --- Reading ---------------------------------------------------------------------------------


def read_text(path):
    raw = Path(path).read_bytes()
    if raw[:2] == b"\x1f\x8b":
        raw = gzip.decompress(raw)
    elif raw[:4] == b"\x28\xb5\x2f\xfd":
        import zstandard

        raw = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(raw), read_across_frames=True).read()
    return raw.decode("utf-8-sig")


def read_spans(path):
    """The spans of a file; of several rows with one id, the newest transaction wins."""
    text = read_text(path)
    try:
        whole = json.loads(text)
        rows = whole["events"] if isinstance(whole, dict) and "events" in whole else whole if isinstance(whole, list) else [whole]
    except json.JSONDecodeError:
        rows = [json.loads(line) for line in text.split("\n") if line.strip()]
    newest = {}
    for row in rows:
        held = newest.get(row["id"])
        if held is None or int(row.get("_xact_id") or 0) >= int(held.get("_xact_id") or 0):
            newest[row["id"]] = row
    return list(newest.values())


def is_root(span):
    return not span.get("span_parents") or span["span_id"] == span["root_span_id"]


def number(value):
    """A finite number, or None: a null, a NaN and a missing score are all no score."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(value)


def at_path(span, path):
    value = span
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def canonical(value):
    """Canonical JSON: keys sorted, 1 and 1.0 alike, strings untouched. None for null."""

    def normal(v):
        if isinstance(v, dict):
            return {k: normal(x) for k, x in v.items()}
        if isinstance(v, list):
            return [normal(x) for x in v]
        return int(v) if isinstance(v, float) and v.is_integer() else v

    return None if value is None else json.dumps(normal(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


class Experiment:
    """The rows of one file: per row its key and its scores."""

    def __init__(self, path, key, where=None):
        spans = read_spans(path)
        traces = defaultdict(lambda: defaultdict(list))
        self.score_names = set()
        for span in spans:
            for name, value in (span.get("scores") or {}).items():
                self.score_names.add(name)
                if number(value) is not None:
                    traces[span["root_span_id"]][name].append(number(value))
        roots = [s for s in spans if is_root(s)]
        if where:
            path_, _, wanted = where.partition("=")
            roots = [s for s in roots if at_path(s, path_) == wanted]
        kept = {s["root_span_id"] for s in roots}
        self.spans = sum(s["root_span_id"] in kept for s in spans)
        self.errors = sum(s.get("error") is not None for s in roots)
        self.rows = [
            (canonical(at_path(s, key)), {n: float(np.mean(v)) for n, v in traces[s["root_span_id"]].items()}) for s in roots
        ]
        self.keys = {key for key, _ in self.rows if key is not None}
        self.null_key = sum(key is None for key, _ in self.rows)

    def row_values(self, name):
        return [scores[name] for _, scores in self.rows if name in scores]

    def case_values(self, name):
        """Key -> mean over the trials that have the score; keys without any are left out."""
        trials = defaultdict(list)
        for key, scores in self.rows:
            if key is not None and name in scores:
                trials[key].append(scores[name])
        return {key: float(np.mean(values)) for key, values in trials.items()}


# --- Statistics ------------------------------------------------------------------------------


def mean(values):
    return float(np.mean(values)) if len(values) else None


def is_binary(values):
    return all(v in (0.0, 1.0) for v in values)


def mcnemar_exact(pairs):
    up = sum(b == 0 and v == 1 for b, v in pairs)
    down = sum(b == 1 and v == 0 for b, v in pairs)
    return 1.0 if up + down == 0 else float(stats.binomtest(min(up, down), up + down, 0.5).pvalue)


def sign_flip_exact(deltas):
    n = len(deltas)
    signs = 1 - 2 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
    means = signs @ np.asarray(deltas) / n
    return float(np.count_nonzero(np.abs(means) >= abs(np.mean(deltas)) - 1e-12)) / 2**n


def paired_t(deltas):
    if np.std(deltas, ddof=1) == 0:
        return 1.0 if np.mean(deltas) == 0 else 0.0
    return float(stats.ttest_1samp(deltas, 0.0).pvalue)


def choose_test(pairs):
    """(p, method) of the paired difference."""
    deltas = [v - b for b, v in pairs]
    if not pairs:
        return None, None
    if is_binary([x for pair in pairs for x in pair]):
        return mcnemar_exact(pairs), "mcnemar_exact"
    if len(pairs) <= EXACT_LIMIT:
        return sign_flip_exact(deltas), "sign_flip_exact"
    return paired_t(deltas), "paired_t"


def spread(values):
    """(sd, se, low, high): the t interval of a mean; all None below two values."""
    n = len(values)
    if n < 2:
        return None, None, None, None
    sd = float(np.std(values, ddof=1))
    se = sd / math.sqrt(n)
    half = float(stats.t.ppf(0.975, n - 1)) * se
    return sd, se, mean(values) - half, mean(values) + half


def wilson(values):
    n, p, z = len(values), float(np.mean(values)), float(stats.norm.ppf(0.975))
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return centre - half, centre + half


def holm(p_values):
    """Holm's step-down adjustment: name -> adjusted p, over the names that have a p."""
    known = sorted((p, name) for name, p in p_values.items() if p is not None)
    adjusted, running = {}, 0.0
    for rank, (p, name) in enumerate(known):
        running = max(running, min(1.0, (len(known) - rank) * p))
        adjusted[name] = running
    return adjusted


# --- Answers ---------------------------------------------------------------------------------


def classify(base, candidate):
    if base is None and candidate is None:
        return "no_score"
    if candidate is None:
        return "lost_score"
    if base is None:
        return "gained_score"
    if candidate - base > EPSILON:
        return "improved"
    return "regressed" if candidate - base < -EPSILON else "unchanged"


def diff_score(base, candidate, name):
    base_cases, candidate_cases = base.case_values(name), candidate.case_values(name)
    matched = sorted(base.keys & candidate.keys)
    classes = dict.fromkeys(["improved", "regressed", "unchanged", "lost_score", "gained_score", "no_score"], 0)
    for key in matched:
        classes[classify(base_cases.get(key), candidate_cases.get(key))] += 1
    pairs = [(base_cases[k], candidate_cases[k]) for k in matched if k in base_cases and k in candidate_cases]
    deltas = [v - b for b, v in pairs]
    sd, se, low, high = spread(deltas)
    p, method = choose_test(pairs)
    base_rows, candidate_rows = base.row_values(name), candidate.row_values(name)
    return {
        "base_row_mean": mean(base_rows),
        "candidate_row_mean": mean(candidate_rows),
        "base_case_mean": mean(list(base_cases.values())),
        "candidate_case_mean": mean(list(candidate_cases.values())),
        "base_matched_mean": mean([b for b, _ in pairs]),
        "candidate_matched_mean": mean([v for _, v in pairs]),
        "delta_matched": mean(deltas),
        "delta_all": mean(candidate_rows) - mean(base_rows) if base_rows and candidate_rows else None,
        **classes,
        "base_only": len(base.keys - candidate.keys),
        "candidate_only": len(candidate.keys - base.keys),
        "n": len(pairs),
        **{"sd": sd, "se": se, "ci_low": low, "ci_high": high, "p": p, "method": method},
        "mde": None if se is None else float(stats.norm.ppf(0.975) + stats.norm.ppf(0.8)) * se,
    }


def diff(base, candidate):
    names = sorted(base.score_names | candidate.score_names)
    scores = {name: diff_score(base, candidate, name) for name in names}
    adjusted = holm({name: score["p"] for name, score in scores.items()})
    for name, score in scores.items():
        score["p_adjusted"] = adjusted.get(name)
    counts = {
        "matched": len(base.keys & candidate.keys),
        "base_only": len(base.keys - candidate.keys),
        "candidate_only": len(candidate.keys - base.keys),
        "null_key": base.null_key + candidate.null_key,
        "null_key_base": base.null_key,
        "null_key_candidate": candidate.null_key,
        "base_rows": len(base.rows),
        "candidate_rows": len(candidate.rows),
    }
    return {"counts": counts, "scores": scores}


def summarize(experiment):
    scores = {}
    for name in sorted(experiment.score_names):
        rows, cases = experiment.row_values(name), list(experiment.case_values(name).values())
        _, se, low, high = spread(cases)
        if cases and is_binary(cases):
            low, high = wilson(cases)
        scores[name] = {
            "row_mean": mean(rows),
            "case_mean": mean(cases),
            "n": len(rows),
            "n_cases": len(cases),
            "missing": len(experiment.rows) - len(rows),
            **{"se": se, "ci_low": low, "ci_high": high},
        }
    return {
        "rows": len(experiment.rows),
        "cases": len(experiment.keys),
        "null_key": experiment.null_key,
        "spans": experiment.spans,
        "errors": experiment.errors,
        "scores": scores,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", metavar="FILE", help="baseline, then candidate")
    parser.add_argument("--summary", metavar="FILE", help="summarize one experiment instead")
    parser.add_argument("--key", default="input", help="dotted path of the comparison key (default: input)")
    parser.add_argument("--where", metavar="PATH=TEXT", help="only cases whose field has this text")
    options = parser.parse_args()
    if options.summary:
        answer = summarize(Experiment(options.summary, options.key, options.where))
    elif len(options.files) == 2:
        answer = diff(*(Experiment(path, options.key, options.where) for path in options.files))
    else:
        parser.error("give a baseline and a candidate, or --summary FILE")
    print(json.dumps(answer, indent=2, allow_nan=False))


if __name__ == "__main__":
    main()
