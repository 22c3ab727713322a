"""Tests of the damage: each shape as it stands on real statements."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciliation.feeds.memo_damage import (
    LONGEST,
    ROUTES,
    Sent,
    between_banks,
    damage,
    punctuation_to_spaces,
    without_hyphens,
)

MEMO = "FW2K7M4Q9XA hoc phi thang 9"
SENT = Sent(
    memo=MEMO,
    payer_name="Đặng Văn Khoa",
    payer_account="0161000879000",
    to_name="Trường Tiểu học An Bình",
    to_account="0123456789",
    at=datetime(2025, 9, 8, 18, 30, tzinfo=UTC),
)
SHAPES = {
    "plain": r"FW2K7M4Q9XA hoc phi thang 9",
    "napas": r"FW2K7M4Q9XA hoc phi thang 9",
    "from Vietcombank": r"MBVCB\.\d{10}\.\d{6}\.FW2K7M4Q9XA  ?hoc phi thang 9\.CT tu 016.*",
    "from Vietcombank (new app)": r"MBVCB\.\d{11}\.[0-9A-Z]{16}\. FW2K7M4Q9XA hoc phi thang 9\.CT tu.*",
    "to MB": r"FW2K7M4Q9XA hoc phi thang 9- Ma gia o dich/ Trace \d{6}",
    "to MB without signs": r"CUSTOMER MBVCB \d{10} \d{6} FW 2K7M4Q9XA hoc phi thang 9 CT tu .* KHOA Trace.*",
    "to an MB merchant": r"Q[0-9A-Z]{9}  HOCPHI\d\d 1  FW2K7M4Q9XA  hoc phi thang 9",
    "from MoMo": r"\d{12}-FW2K7M4Q9XA hoc phi th ang 9-CHUYEN TIEN-OQCH[ 0-9A-Z]+-MOMO \d{12}MOMO",
    "from MoMo to ACB": r"MoMoT09\d{8}T\d{11}T970416TFW2K7M4Q9XA hoc phi thang 9 GD \d{6}-090925 01:30:00",
    "from ZaloPay": r"PARTNER\.DIRECT_DEBITS_VCB\.ZLP\.ZP[0-9A-Z]{3} [0-9A-Z]{9}\.20250909\.FW2K7M4Q9XA.*",
    "to Vietcombank": r"\d{6}\.090925\.013000\.FW2K7M4Q9XA ho c phi thang 9",
    "to BIDV": r"TKThe :0161000879000, tai MB\. FW2K7M4Q9XA hoc phi thang 9 -CTLNHIDI\d{15}-1/1-CRE-002",
    "inside BIDV": r"REM Tfr Ac:0161000879000 O@L_[0-9_]+ FW2K7M4Q9XA hoc phi thang 9",
    "to ACB": r"FW2K7M4Q9XA hoc phi thang 9 GD \d{6}-090925 01:30:00",
    "from ACB": r"FW2K7M4Q9XA hoc phi thang 9-090925- 01:30:00 [0-9A-Z]{16}",
    "to VietinBank": r"CT DEN:[0-9A-Z]{16} FW2K7M4Q9XA hoc phi thang 9",
    "to Agribank": r"MB\(\d{12}\)\(FW2K7M4Q9XA hoc phi thang 9\)",
    "to Sacombank": r"FW2K7M4Q9XA hoc phi thang 9 CKN \d{3} \d{6} - DANG VAN KHOA",
    "clearing": r"\(B/O DANG VAN KHOA\) FW2K7M4Q9XA hoc phi thang 9",
}


@pytest.mark.parametrize("route", ROUTES)
def test_each_route_has_its_shape(route: str) -> None:
    memo = damage(SENT, route, Random(7))  # noqa: S311  chance, not secrecy

    assert re.fullmatch(SHAPES[route], memo), memo


@pytest.mark.parametrize(
    ("memo", "arrives"),
    [
        ("", ""),
        ("a" * 35, "a" * 35),
        ("a" * 36, "a" * 35 + " a"),
        ("a" * 34 + " " + "b", "a" * 34 + " b"),
        ("a" * 35 + " b", "a" * 35 + "  b"),
        ("a" * 71, "a" * 35 + " " + "a" * 35 + " a"),
    ],
)
def test_pieces_of_35_are_joined_by_a_blank(memo: str, arrives: str) -> None:
    assert between_banks(memo) == arrives


@given(st.text(st.characters(codec="ascii"), max_size=300))
def test_nothing_arrives_longer_than_140_and_no_letter_is_changed(memo: str) -> None:
    arrived = between_banks(memo)

    assert len(arrived) <= LONGEST
    assert "".join(memo.split()).startswith("".join(arrived.split()))


@given(st.sampled_from(sorted(ROUTES)), st.text(max_size=100), st.integers())
def test_marks_never_arrive(route: str, memo: str, seed: int) -> None:
    sent = Sent(
        memo=f"Học phí của Nguyễn Đình {memo}",
        payer_name="Đặng Ý",
        payer_account="1",
        to_name="Trường Bù Đăng",
        to_account="2",
        at=SENT.at,
    )
    arrived = damage(sent, route, Random(seed))  # noqa: S311  as above

    assert not set("ọíủễĐìÝườăđ") & set(arrived)


def test_signs_are_dropped_as_apps_do() -> None:
    assert without_hyphens("FW-2K7-M4Q") == "FW2K7M4Q"
    assert punctuation_to_spaces("CT tu 01.02-MB/ x") == "CT tu 01 02 MB  x"
