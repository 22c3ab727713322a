"""The table of cases names tests that are there."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(test_\w+))?`")


def test_every_case_names_a_test_that_is_there() -> None:
    found = NAMED.findall((ROOT / "docs" / "cases.md").read_text(encoding="utf-8"))
    assert len(found) >= 25
    gone = [
        (path, name)
        for path, name in found
        if not (ROOT / path).exists() or f"def {name or 'test_'}" not in (ROOT / path).read_text(encoding="utf-8")
    ]
    assert not gone
