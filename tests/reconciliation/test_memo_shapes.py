"""Every shape of memo that was seen on real statements, carrying our own references and invented names.

Whatever a bank did: a reference whose letters still stand together is found, and nothing else is ever taken for one.
The command ``match`` decides, line by line, as a bank's own check of the connection would call it.
"""

from __future__ import annotations

import io
import json
import re
import string
from pathlib import Path
from random import Random

import pytest

from billing.payments.reference import fold_memo
from service.commands.match import answers
from tests.reconciliation.matching_builders import ACCOUNT, reference

SHAPES = json.loads(Path(__file__).with_name("memo_shapes.json").read_text(encoding="utf-8"))
NAMES = ("Nguyen Van An", "Le Thi Binh", "Tran Gia Chau", "Dieu K Re")
LONGEST = 140
FILLS = 12
_HOLE = re.compile(r"\{([a-zA-Z]+)([0-9]*)\}")
CODES = [reference(number) for number in range(40)]


def filled(shape: str, code: str, random: Random) -> str:
    """Fill the holes of a shape; banks cut the whole at 140."""
    split = random.randint(3, 9)
    words = {
        "code": code,
        "small": code.lower(),
        "head": code[:-2],
        "tail": code[-2:],
        "start": code[:split],
        "end": code[split:],
        "NAME": random.choice(NAMES).upper(),
        "Name": random.choice(NAMES),
    }

    def piece(hole: re.Match[str]) -> str:
        kind, size = hole[1], int(hole[2] or 0)
        if size:
            return "".join(random.choices(string.digits + (string.ascii_uppercase if kind == "x" else ""), k=size))
        return words[kind]

    return _HOLE.sub(piece, shape)[:LONGEST]


def outcomes(memos: list[str]) -> list[dict[str, object]]:
    """Let the command decide each memo over forty open requests of one account."""
    listed = [
        {"reference": code, "pupil": f"p{n}", "family": f"f{n}", "school": "s", "account": ACCOUNT, "due": 650_000}
        for n, code in enumerate(CODES)
    ]
    lines = [
        {"open": listed, "transfer": {"id": number, "amount": 650_000, "memo": memo, "account": ACCOUNT}}
        for number, memo in enumerate(memos)
    ]
    return list(answers(io.BytesIO("\n".join(map(json.dumps, lines)).encode())))


@pytest.mark.parametrize("number", range(len(SHAPES)), ids=[f"{s['at']} from {s['from']}" for s in SHAPES])
def test_a_whole_reference_is_found_and_none_is_misread(number: int) -> None:
    shape = SHAPES[number]["memo"]
    random = Random(number)  # noqa: S311  test data
    carried = [random.choice(CODES) for _ in range(FILLS)]
    memos = [filled(shape, code, random) for code in carried]
    for code, memo, answer in zip(carried, memos, outcomes(memos), strict=True):
        if code in fold_memo(memo):
            assert (answer["outcome"], answer["bills"]) == ("matched", [{"reference": code, "amount": 650_000}]), memo
        else:
            assert answer["outcome"] in {"unmatched", "suggested"}, memo
            assert answer["credit"] == 0


def test_the_shapes_carry_references_and_lose_them() -> None:
    """Else the test above would show nothing."""
    random = Random(0)  # noqa: S311  test data
    carrying = [CODES[1] in fold_memo(filled(shape["memo"], CODES[1], random)) for shape in SHAPES]

    assert sum(carrying) >= 45
    assert carrying.count(False) >= 12
