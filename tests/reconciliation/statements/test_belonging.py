"""Tests of what a file does not show of the account it was brought for."""

from __future__ import annotations

import pytest

from reconciliation.statements.belonging import Doubt, doubts_of
from reconciliation.statements.reading import read_statement
from tests.reconciliation.statements import bank_files
from tests.reconciliation.statements.bank_files import ACCOUNT

MB, VPBANK, OF_NO_LAYOUT = "970422", "970432", "970400"
NAMELESS = [row for row in bank_files.table() if row[0] != "Số tài khoản"]


@pytest.mark.parametrize(
    ("content", "bank_bin", "doubts"),
    [
        (bank_files.vpbank(), VPBANK, ()),
        (bank_files.vpbank(), MB, (Doubt.OTHER_BANK,)),
        (bank_files.vpbank(), OF_NO_LAYOUT, (Doubt.OTHER_BANK,)),
        (bank_files.delimited(NAMELESS), VPBANK, (Doubt.NO_ACCOUNT,)),
        (bank_files.delimited(NAMELESS), MB, (Doubt.NO_ACCOUNT, Doubt.OTHER_BANK)),
        (bank_files.mt940(), MB, ()),
        (bank_files.camt053(), OF_NO_LAYOUT, ()),
    ],
)
def test_a_file_shows_its_account_and_bank_or_somebody_answers_for_it(
    content: bytes, bank_bin: str, doubts: tuple[Doubt, ...]
) -> None:
    assert doubts_of(read_statement(content), bank_bin) == doubts


@pytest.mark.parametrize("told", ["0123 456 789", "0123456789VND", "0123.456.789 VND", " 0123456789  TRUONG AN BINH"])
def test_an_account_is_the_same_however_a_message_spaces_it(told: str) -> None:
    old = f":25:{ACCOUNT}".encode()
    assert read_statement(bank_files.mt940().replace(old, f":25:BANKVN/{told.strip()}".encode())).is_of(ACCOUNT)
    content = bank_files.camt053().replace(f"<Id>{ACCOUNT}<".encode(), f"<Id>{told}<".encode())
    assert read_statement(content, account=ACCOUNT).is_of(ACCOUNT)
