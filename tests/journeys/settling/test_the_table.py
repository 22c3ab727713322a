"""The table of docs/settling.md: every case has an outcome and tests, which are really there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

TESTS = Path(__file__).resolve().parents[2]
TABLE = (TESTS.parent / "docs" / "settling.md").read_text(encoding="utf-8")
ALIASES = {name: TESTS / path for name, path in re.findall(r"\*(\w+)\*\s+is\s+`([^`]+)`", TABLE)}
# What the product promises an outcome for, by words of its row.
CASES = (
    "The sum that is due",
    "Less",
    "More; paid twice",
    "Old code",
    "Paid after the bill was taken back",
    "A code of another school",
    "Money to a replaced account",
    "Late money",
    "Taken back by the bank",
    "From abroad, short by the fees of banks on the way, within",
    "From abroad, short beyond the limit",
    "Two codes, and just the sum of both",
    "Two codes and another sum",
)


def rows() -> list[tuple[str, str, str]]:
    """Return case, outcome and proof of each row."""
    lines = [line for line in TABLE.splitlines() if line.startswith("| ")]
    cells = [tuple(cell.strip() for cell in line.strip("| ").split(" | ")) for line in lines]
    assert {len(row) for row in cells} == {3}
    return [(row[0], row[1], row[2]) for row in cells if row[0] != "Case"]


def defined_in(path: Path) -> set[str]:
    """Return the tests that a file defines."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {each.name for each in tree.body if isinstance(each, ast.FunctionDef) and each.name.startswith("test_")}


def proofs(cell: str) -> list[tuple[Path, str]]:
    """Return the tests that a cell names as file and name, which is empty where the whole file is meant."""
    found, file = [], TESTS
    for alias, named in re.findall(rf"\b({'|'.join(ALIASES)})\b(?=\s+`)|`([^`]+)`", cell):
        if alias:
            file = ALIASES[alias]
            continue
        path, _, test = named.partition("::")
        if path:
            file = TESTS / path if "/" in path else file.parent / path
        found.append((file, test))
    return found


def test_every_case_has_one_row() -> None:
    named = [case for case, _, _ in rows()]
    assert {case: sum(each.startswith(case) for each in named) for case in CASES} == dict.fromkeys(CASES, 1)
    assert len(named) == len(set(named))


def test_every_row_says_what_becomes_of_it_and_names_tests_that_are_there() -> None:
    for case, outcome, cell in rows():
        assert outcome, case
        assert proofs(cell), case
        for file, test in proofs(cell):
            assert file.is_file(), (case, file)
            assert test in defined_in(file) if test else defined_in(file), (case, file.name, test)


def test_every_test_of_outcomes_stands_in_a_row() -> None:
    named = {test for _, _, cell in rows() for file, test in proofs(cell) if file == ALIASES["outcomes"]}
    assert named == defined_in(ALIASES["outcomes"])
