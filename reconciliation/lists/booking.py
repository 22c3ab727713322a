"""A page of a list into the book: row by row, so that one odd row keeps no other out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlmodel import Session, select

from billing.errors import HocphiError
from billing.vault import Vault
from reconciliation.feeds.base import NormalisedTransfer
from reconciliation.lists.base import Told
from reconciliation.lists.comparing import compare
from reconciliation.releasing import distrust
from reconciliation.tables import Transfer
from reconciliation.transfers import Origin, refuse_implausible, write_transfer

_UNIQUE_VIOLATION = "23505"


@dataclass(frozen=True, slots=True)
class Booked:
    """What became of a message's rows: new transfers, known ones, and in words what was put aside."""

    written: int
    known: int
    aside: tuple[str, ...] = ()


def book_page(session: Session, vault: Vault, origin: Origin, told: Sequence[Told], now: datetime) -> Booked:
    """Write what is new in a page, let go what it confirms, and put aside what speaks against what we know.

    Held money whose id the list tells with another sum is not believed any more: it is taken out of the book. Money
    that has been believed is left alone, and a person is told of the difference.
    """
    found = compare(session, origin.account, told)
    aside = [error.message for error in found.unreadable]
    written = known = 0
    for read in found.fresh:
        why = _write(session, vault, origin, read, now)
        if isinstance(why, str):
            aside.append(f"{read.provider_id}: {why}")
        elif why:
            written += 1
        else:
            known += 1
    aside += [_changed(session, origin, read, now) for read in found.changed]
    return Booked(written, known + found.known, tuple(aside))


def is_taken(error: DBAPIError) -> bool:
    """Tell whether somebody else has just written the same key: then the whole batch is tried again."""
    return getattr(error.orig, "sqlstate", None) == _UNIQUE_VIOLATION


def refused_by_database(error: DBAPIError) -> str:
    """Return what the database said, its first line only: the details behind it repeat the whole row."""
    told = getattr(getattr(error.orig, "diag", None), "message_primary", None) or type(error.orig).__name__
    return f"Cơ sở dữ liệu từ chối: {told}"


def _write(session: Session, vault: Vault, origin: Origin, read: NormalisedTransfer, now: datetime) -> bool | str:
    """Write one row: true if it is new, false if it was known, else why it is put aside."""
    try:
        with session.begin_nested():
            refuse_implausible(origin, read, now)
            return write_transfer(session, vault, origin, read, now) is not None
    except HocphiError as error:
        return error.message
    except (IntegrityError, DataError) as error:
        if is_taken(error):
            raise
        return refused_by_database(error)


def _changed(session: Session, origin: Origin, read: NormalisedTransfer, now: datetime) -> str:
    known = session.exec(
        select(Transfer)
        .where(
            Transfer.provider == read.provider,
            Transfer.bank_account_id == origin.account.id,
            Transfer.provider_id == read.provider_id,
        )
        .with_for_update()
    ).one()
    why = (
        f"Mã giao dịch {read.provider_id}: danh sách ghi {read.amount} ({read.direction.value}), sổ ghi {known.amount}"
    )
    if known.state == "held":
        distrust(session, known, why, now)
    return why
