"""The banks a VietQR code may name: by their BIN, or by what people call them.

``banks.json`` holds one row for each: BIN, short name, NAPAS code, name. It joins the State Bank's list of BINs
(letter 1589/NHNN-TT of 2024) with the banks the VietQR lists add. A BIN missing here is no error: new banks get one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from billing.payments.reference import fold_memo


@dataclass(frozen=True, slots=True)
class Bank:
    """One bank, payment company or finance company that holds accounts."""

    bin: str
    short_name: str
    napas_code: str
    name: str


def bank_by_bin(bank_bin: str) -> Bank | None:
    """Return the bank of a six-digit BIN, or nothing."""
    return _by_bin().get(bank_bin)


def banks_by_name(text: str) -> tuple[Bank, ...]:
    """Return the banks that people may mean, marks, case and spaces aside.

    Those whose short name or NAPAS code is the text exactly; if there is none, those whose name holds it.
    An empty text means no bank.
    """
    wanted = fold_memo(text)
    if not wanted:
        return ()
    named = [bank for bank in all_banks() if wanted in {fold_memo(bank.short_name), fold_memo(bank.napas_code)}]
    return tuple(named or (bank for bank in all_banks() if wanted in fold_memo(bank.short_name + bank.name)))


@cache
def all_banks() -> tuple[Bank, ...]:
    """Return every bank, by BIN."""
    rows = json.loads(Path(__file__).with_name("banks.json").read_text(encoding="utf-8"))
    return tuple(Bank(*row) for row in rows)


@cache
def _by_bin() -> dict[str, Bank]:
    return {bank.bin: bank for bank in all_banks()}
