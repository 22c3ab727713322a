"""Tests of the door ``match``: one line in, one line out, whatever stands in it."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.payments.reference import reference_for
from reconciliation.matching import POSTING, Outcome
from service.__main__ import main
from service.commands.match import MAX_LINE_BYTES, answers

ONE = reference_for(1, b"key of these tests")


def line(open_changes: Mapping[str, object] | None = None, **transfer: object) -> dict[str, Any]:
    entry = {"reference": ONE, "pupil": "p", "family": "f", "school": "s", "account": "01", "due": 650_000}
    money = {"id": "t1", "amount": 650_000, "memo": f"hoc phi {ONE}", "account": "01", **transfer}
    return {"open": [{**entry, **(open_changes or {})}], "transfer": money}


def decided(*lines: object) -> list[dict[str, Any]]:
    text = "\n".join(each if isinstance(each, str) else json.dumps(each) for each in lines)
    return [json.loads(json.dumps(answer)) for answer in answers(io.BytesIO(text.encode()))]


def test_a_match_is_answered_with_the_stable_keys() -> None:
    (answer,) = decided(line())

    assert list(answer) == ["id", "outcome", "bills", "credit", "evidence"]
    assert answer["id"] == "t1"
    assert answer["outcome"] == "matched"
    assert answer["bills"] == [{"reference": ONE, "amount": 650_000}]
    assert answer["credit"] == 0


def test_a_repeated_transfer_is_a_duplicate_and_other_lines_are_independent() -> None:
    outcomes = [answer["outcome"] for answer in decided(line(), line(), line(id="t2"), line(id="t2"))]

    assert outcomes == ["matched", "duplicate", "matched", "duplicate"]


@pytest.mark.parametrize("status", ["open", "paid", "void", None])
def test_every_status_is_understood(status: str | None) -> None:
    (answer,) = decided(line({"status": status}))

    assert answer["outcome"] == ("credited" if status in {"paid", "void"} else "matched")


@pytest.mark.parametrize(
    "bad",
    [
        "{",
        "[]",
        "1",
        '{"transfer": 1, "transfer": 2}',
        "[" * 50_000,
        {"open": []},
        {"open": {}, "transfer": line()["transfer"]},
        {"open": [1], "transfer": line()["transfer"]},
        {"transfer": line()["transfer"]},
        line(amount=650_000.0),
        line(amount="650000"),
        line(amount=True),
        line(amount=None),
        line(amount=2**63),
        line(memo=5),
        line(account=""),
        line(account=1),
        line(id=None),
        line(id=""),
        line(direction="sideways"),
        line(virtual_account=3),
        line({"due": -1}),
        line({"due": 1.5}),
        line({"status": "late"}),
        line({"reference": ""}),
        line({"pupil": None}),
    ],
)
def test_a_bad_line_is_refused_and_the_next_one_is_read(bad: object) -> None:
    refused, good = decided(bad, line(id="next"))

    assert refused["outcome"] == "refused"
    assert refused["evidence"][0] == "bad_input"
    assert (refused["bills"], refused["credit"]) == ([], 0)
    assert good["outcome"] == "matched"


@pytest.mark.parametrize("bad", [line(amount=0), line(amount=-5), line(direction="out")])
def test_no_money_in_is_refused(bad: object) -> None:
    (answer,) = decided(bad)

    assert answer["outcome"] == "refused"
    assert "bad_input" not in answer["evidence"]


def test_bytes_that_are_no_text_and_a_mark_in_front_are_survived() -> None:
    data = b"\xef\xbb\xbf" + json.dumps(line()).encode() + b"\n\n\xff\xfe\n"
    found = list(answers(io.BytesIO(data)))

    assert [answer["outcome"] for answer in found] == ["matched", "refused"]


def test_an_endless_line_is_refused_without_being_kept() -> None:
    data = b"x" * (2 * MAX_LINE_BYTES + 10) + b"\n" + json.dumps(line()).encode()
    found = list(answers(io.BytesIO(data)))

    assert [answer["outcome"] for answer in found] == ["refused", "matched"]


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["open", "in", ONE]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
fields = ["reference", "pupil", "family", "school", "account", "virtual_account", "due", "status"]


@given(
    st.dictionaries(st.sampled_from(fields), anything),
    st.dictionaries(st.sampled_from(["id", "amount", "memo", "account", "virtual_account", "direction"]), anything),
)
def test_whatever_stands_in_a_line_one_answer_comes(entry: dict[str, Any], transfer: dict[str, Any]) -> None:
    whole = line(entry)
    whole["transfer"].update(transfer)
    text = json.dumps(whole)
    (answer,) = answers(io.BytesIO(text.encode()))

    assert answer["outcome"] in set(Outcome)
    moved = sum(bill["amount"] for bill in answer["bills"]) + answer["credit"]  # type: ignore[attr-defined, operator]  # JSON
    posts = answer["outcome"] in POSTING
    assert moved == (whole["transfer"]["amount"] if posts else 0)
    json.dumps(answer, allow_nan=False)


@given(st.binary(max_size=300))
def test_no_bytes_stop_the_door(data: bytes) -> None:
    for answer in answers(io.BytesIO(data)):
        assert answer["outcome"] == "refused"


def test_a_missing_file_is_unusable(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["match", str(tmp_path / "none.jsonl")]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_the_door_needs_no_database_and_no_environment(tmp_path: Path) -> None:
    file = tmp_path / "lines.jsonl"
    file.write_text(json.dumps(line()) + "\n")
    command = [sys.executable, "-m", "service", "match", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"PATH": ""})  # noqa: S603  our own program
    assert json.loads(done.stdout)["outcome"] == "matched"
