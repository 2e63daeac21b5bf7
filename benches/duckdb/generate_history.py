#!/usr/bin/env python3
"""A large eval history, made up and seeded: experiments × cases × trials × scores, as NDJSON files.

    python benches/duckdb/generate_history.py DIR [--experiments 1000] [--cases 1000] [--trials 2] [--scores 10]
"""

import argparse
import json
import random
from pathlib import Path

CATEGORIES = ["billing", "refunds", "shipping", "account", "technical", "sales", "legal", "other"]


def write(path, number, cases, trials, scores, seed):
    draw = random.Random(seed * 1_000_003 + number)
    day, second = divmod(number * 3600, 86400)
    created = f"2025-{1 + day // 28 % 12:02}-{1 + day % 28:02}T{second // 3600:02}:{second // 60 % 60:02}:00.000Z"
    level = [0.6 + 0.03 * draw.random() + 0.1 * (number > 700) * (score == 0) for score in range(scores)]
    with path.open("w") as out:
        for case in range(cases):
            category = CATEGORIES[case % len(CATEGORIES)]
            hard = 0.2 * ((case * 2654435761 % 1000) / 1000 - 0.5)
            for trial in range(trials):
                row_id = f"{number:04}-{case:05}-{trial}"
                values = {
                    f"s{i}": round(min(1.0, max(0.0, level[i] + hard + 0.15 * (draw.random() - 0.5))), 3)
                    for i in range(scores)
                }
                out.write(json.dumps({
                    "id": row_id,
                    "span_id": row_id,
                    "root_span_id": row_id,
                    "created": created,
                    "input": {"question": f"question {case} about {category}"},
                    "output": f"answer {draw.randrange(10_000)}",
                    "scores": values,
                    "metadata": {"category": category, "tier": "pro" if case % 3 else "free"},
                    "metrics": {"duration": round(1 + draw.random(), 3), "tokens": 200 + draw.randrange(300)},
                }, separators=(",", ":")))
                out.write("\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--experiments", type=int, default=1000)
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--trials", type=int, default=2)
    parser.add_argument("--scores", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for number in range(options.experiments):
        path = options.folder / f"run-{number:04}.jsonl"
        write(path, number, options.cases, options.trials, options.scores, options.seed)


if __name__ == "__main__":
    main()
