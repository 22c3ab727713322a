"""Whether a file shows that it is of the account it was brought for, or a person has to vouch for it (pure)."""

from __future__ import annotations

from enum import StrEnum

from reconciliation.statements.layouts import BANK_OF_BIN
from reconciliation.statements.lines import Statement


class Doubt(StrEnum):
    """What a file does not show: no account at all, or it is written as another bank than the account's writes."""

    NO_ACCOUNT = "no_account"
    OTHER_BANK = "other_bank"


def doubts_of(statement: Statement, bank_bin: str) -> tuple[Doubt, ...]:
    """Return what somebody must answer for before a file is imported; ``bank_bin`` is the BIN of the account's bank.

    MT940, CAMT.053 and layouts that people explained say nothing of a bank.
    """
    doubts = []
    if statement.account is None:
        doubts.append(Doubt.NO_ACCOUNT)
    if statement.bank in BANK_OF_BIN.values() and statement.bank != BANK_OF_BIN.get(bank_bin):
        doubts.append(Doubt.OTHER_BANK)
    return tuple(doubts)
