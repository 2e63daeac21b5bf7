"""How the reference programs write their fixtures, and check that the written ones still hold."""

import argparse
import json
import math
import sys
from pathlib import Path

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
TOLERANCE = 1e-10


def write_or_check(name, fixture, description):
    """Writes `tests/fixtures/NAME`, or with `--check` compares: numbers to ten digits, for the last
    ones are the linear algebra library's own."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the written fixture, write nothing")
    is_check = parser.parse_args().check
    path, fixture = FIXTURES / name, fixture()
    if not is_check:
        path.parent.mkdir(exist_ok=True)
        path.write_text(to_text(fixture))
        return
    difference = first_difference(json.loads(path.read_text()), json.loads(to_text(fixture)), name)
    if difference:
        sys.exit(f"{difference}\nRun `python tests/reference/{Path(sys.argv[0]).name}` and look at what changed.")
    print(f"{name} holds")


def to_text(fixture):
    """One line per entry: small differences stay readable."""
    sections = []
    for name, entries in fixture.items():
        if isinstance(entries, list):
            lines = ",\n    ".join(json.dumps(entry) for entry in entries)
            sections.append(f"  {json.dumps(name)}: [\n    {lines}\n  ]")
        else:
            lines = ",\n    ".join(f"{json.dumps(key)}: {json.dumps(entry)}" for key, entry in entries.items())
            sections.append(f"  {json.dumps(name)}: {{\n    {lines}\n  }}")
    return "{\n" + ",\n".join(sections) + "\n}\n"


def first_difference(written, computed, place):
    """Where two JSON values differ first; None where they agree."""
    if isinstance(written, dict) and isinstance(computed, dict):
        if list(written) != list(computed):
            return f"{place}: has {list(written)}, now {list(computed)}"
        return next(filter(None, (first_difference(written[k], computed[k], f"{place}.{k}") for k in written)), None)
    if isinstance(written, list) and isinstance(computed, list):
        if len(written) != len(computed):
            return f"{place}: has {len(written)} entries, now {len(computed)}"
        pairs = enumerate(zip(written, computed))
        return next(filter(None, (first_difference(a, b, f"{place}[{i}]") for i, (a, b) in pairs)), None)
    is_number = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in (written, computed))
    # Below 1e-14 there is only rounding, but for chances, which are compared as such.
    if is_number and math.isclose(written, computed, rel_tol=TOLERANCE, abs_tol=0 if abs(written) < 1e-16 else 1e-14):
        return None
    return None if written == computed else f"{place}: has {written}, now {computed}"
