"""The bank's file: what goes in comes out, and nothing in it is worked out by a sheet."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import openpyxl
from hypothesis import given
from hypothesis import strategies as st

from billing.credits.payee import printed_name
from billing.documents.bank_batch import MEMO_LONGEST, BatchRow, batch_csv, batch_xlsx, memo_for
from billing.money import Money

AT = datetime(2025, 10, 6, 3, tzinfo=UTC)
CODE = "HT2345678AB"
NASTY = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=60)
ROW = BatchRow("Vietcombank", "970436", "0071000123456", "Nguyễn Văn Hòa", Money(64_000), memo_for(CODE))


@given(NASTY)
def test_no_field_begins_like_a_formula_whatever_a_holder_is_called(name: str) -> None:
    row = BatchRow("Vietcombank", "970436", "0071000123456", name, Money(1), memo_for(CODE, name))
    (_, read) = csv.reader(io.StringIO(batch_csv([row]).decode("utf-8-sig"), newline=""))
    assert not any(field.startswith(("=", "+", "-", "@", "\t", "\r")) for field in read)
    assert read[3] == "0071000123456"
    assert read[4] == printed_name(name)


@given(NASTY)
def test_a_memo_begins_with_the_code_and_every_bank_takes_it(words: str) -> None:
    memo = memo_for(CODE, words)
    assert memo.startswith(CODE)
    assert len(memo) <= MEMO_LONGEST
    assert memo.replace(" ", "").isalnum()
    assert memo.isascii()
    assert memo == memo.upper()


def test_both_layouts_say_the_same() -> None:
    rows = [ROW, BatchRow("BIDV", "970418", "V3CASLRPR13MT76", "=cmd|' /C calc'!A0", Money(1_250_000), memo_for(CODE))]
    told = list(csv.reader(io.StringIO(batch_csv(rows).decode("utf-8-sig"), newline="")))
    sheet = openpyxl.load_workbook(io.BytesIO(batch_xlsx(rows, AT))).active
    assert sheet is not None
    cells = [["" if value is None else str(value) for value in row] for row in sheet.iter_rows(values_only=True)]
    assert cells == told
    assert told[1] == ["1", "Vietcombank", "970436", "0071000123456", "NGUYEN VAN HOA", "64000", f"{CODE} HOAN TIEN"]
    assert told[2][4] == "CMD ' C CALC' A0"
