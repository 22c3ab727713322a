"""Virtual accounts: a number for each pupil that the bank books to the school's account."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text, update
from sqlmodel import Session, col, func, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.errors import Conflict, NotFound, Refused
from billing.ledger.tables import BankAccount
from billing.payments.tables import PaymentRequest, VirtualAccount
from billing.people.kinship import refuse_own_family
from billing.visible import is_blank

LONGEST = 19  # EMV field 38-01 and the banks' own limit
COOLING = timedelta(days=90)  # families keep old QR codes for a term; the database refuses less (migration 0048)
_SERIAL_DIGITS = 6
_A_DAY = timedelta(days=1)


def assign_virtual_accounts(
    session: Session, account: BankAccount, pupil_ids: Collection[UUID], now: datetime
) -> dict[UUID, str]:
    """Return each pupil's number at this account; who has none gets a free one, or a new one behind the account's own.

    A number stays with its pupil from bill to bill. One transaction at a time gives out numbers of an account.
    Where a new number would be longer than 19 characters, the pupil gets none until the bank's own are entered: its
    bills say so, and the page of accounts lists who waits.
    """
    session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"),
        {"name": f"virtual accounts {account.id}"},
    )
    held = _held(session, account)
    missing = sorted(set(pupil_ids) - held.keys())
    free = _free(session, account, len(missing), now)
    for row, pupil in zip(free, missing, strict=False):
        session.execute(
            update(VirtualAccount).where(col(VirtualAccount.id) == row.id).values(pupil_id=pupil, assigned_at=now)
        )
        held[pupil] = row.number
    held |= _make(session, account, missing[len(free) :], now)
    return {pupil: held[pupil] for pupil in pupil_ids if pupil in held}


def holder_of(
    session: Session, school_id: UUID, account_id: UUID, number: str, at: datetime | None = None
) -> UUID | None:
    """Return who has a number now, or had it at a moment; nobody between a release and the next assignment.

    Statements tell a day only, so a number counts from a day before it was assigned.
    """
    rows = session.exec(
        select(VirtualAccount)
        .where(
            VirtualAccount.school_id == school_id,
            VirtualAccount.bank_account_id == account_id,
            VirtualAccount.number == number,
            col(VirtualAccount.pupil_id).is_not(None),
        )
        .order_by(col(VirtualAccount.assigned_at), col(VirtualAccount.id))
    ).all()
    for row in rows:
        began = at is None or row.assigned_at is None or row.assigned_at - _A_DAY <= at
        if began and (row.released_at is None or (at is not None and at < row.released_at)):
            return row.pupil_id
    return None


def is_known(session: Session, school_id: UUID, account_id: UUID, number: str) -> bool:
    """Tell whether a number is, or was, of the account's pool: then only its row says whose it is."""
    row = select(VirtualAccount.id).where(
        VirtualAccount.school_id == school_id,
        VirtualAccount.bank_account_id == account_id,
        VirtualAccount.number == number,
    )
    return session.exec(row.limit(1)).first() is not None


def release_number(  # noqa: PLR0913, PLR0917  which number, why, who says so and when
    session: Session, actor: Actor, school_id: UUID, number_id: int, reason: str, now: datetime
) -> VirtualAccount:
    """Take a number from its pupil; money that comes to it from now on waits for a person.

    Another pupil gets it after a cooling time at the earliest. Raises ``NotFound``, ``Conflict`` when it is nobody's,
    ``Refused`` without a reason.
    """
    if is_blank(reason):
        raise Refused("Hãy ghi lý do thu hồi số này, ví dụ học sinh đã chuyển trường.")
    row = session.exec(
        select(VirtualAccount)
        .where(VirtualAccount.school_id == school_id, VirtualAccount.id == number_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotFound("Không có số này.", number=number_id)
    if row.pupil_id is None or row.released_at is not None:
        raise Conflict("Số này đang không cấp cho học sinh nào. Hãy tải lại trang.")
    refuse_own_family(session, actor, school_id, {row.pupil_id})
    session.execute(
        update(VirtualAccount)
        .where(col(VirtualAccount.id) == number_id)
        .values(released_at=now, released_by=actor.user_id, released_why=reason.strip()[:300])
    )
    deed = Deed(school_id, "numbers.release", "virtual_account", str(number_id), reason.strip())
    record_deed(session, actor, deed, now, pupil=str(row.pupil_id), number=row.number)
    session.flush()
    session.refresh(row)
    return row


def numbers_shown(session: Session, school_id: UUID, requests: Collection[PaymentRequest]) -> dict[UUID, str | None]:
    """Return, by request, the number its family pays to: the request's own, or what the pupil was given since.

    None where there is neither.
    """
    pupils = {request.pupil_id for request in requests}
    rows = session.exec(
        select(VirtualAccount, BankAccount.only_virtual)
        .join(BankAccount, col(BankAccount.id) == col(VirtualAccount.bank_account_id))
        .where(VirtualAccount.school_id == school_id, col(VirtualAccount.pupil_id).in_(pupils))
    ).all()
    now = {(row.bank_account_id, row.pupil_id): row.number for row, only in rows if only and row.released_at is None}
    gone = {(row.bank_account_id, row.number) for row, _ in rows if row.released_at is not None}
    gone -= {(row.bank_account_id, row.number) for row, _ in rows if row.released_at is None}
    return {request.id: _shown(request, now, gone) for request in requests}


def _shown(
    request: PaymentRequest, now: Mapping[tuple[UUID, UUID | None], str], gone: Collection[tuple[UUID, str]]
) -> str | None:
    """Return the request's own number unless it was taken from the pupil, else the one it has now."""
    own = request.virtual_account
    if own is not None and (request.bank_account_id, own) not in gone:
        return own
    return now.get((request.bank_account_id, request.pupil_id))


def _held(session: Session, account: BankAccount) -> dict[UUID, str]:
    rows = session.exec(
        select(VirtualAccount.pupil_id, VirtualAccount.number).where(
            VirtualAccount.school_id == account.school_id,
            VirtualAccount.bank_account_id == account.id,
            col(VirtualAccount.released_at).is_(None),
        ),
    ).all()
    return {pupil: number for pupil, number in rows if pupil is not None}


def _free(session: Session, account: BankAccount, most: int, now: datetime) -> list[VirtualAccount]:
    """Return numbers that nobody has: free ones first, then those released long enough ago, as new rows."""
    ours = (VirtualAccount.school_id == account.school_id, VirtualAccount.bank_account_id == account.id)
    found = list(
        session.exec(
            select(VirtualAccount)
            .where(*ours, col(VirtualAccount.pupil_id).is_(None))
            .order_by(col(VirtualAccount.id))
            .limit(most)
        ).all()
    )
    if len(found) == most:
        return found
    last = (
        select(VirtualAccount.number, func.max(col(VirtualAccount.released_at)))
        .where(*ours)
        .group_by(col(VirtualAccount.number))
        .having(func.count() == func.count(col(VirtualAccount.released_at)))
        .having(func.max(col(VirtualAccount.released_at)) <= now - COOLING)
        .order_by(func.max(col(VirtualAccount.released_at)), col(VirtualAccount.number))
        .limit(most - len(found))
    )
    cooled = [
        VirtualAccount(school_id=account.school_id, bank_account_id=account.id, number=number)
        for number, _ in session.exec(last).all()
    ]
    session.add_all(cooled)
    session.flush()
    return found + cooled


def _make(session: Session, account: BankAccount, pupils: Iterable[UUID], now: datetime) -> dict[UUID, str]:
    """Make numbers behind the account's own: its number and a serial of six digits."""
    count = session.exec(
        select(func.count())
        .select_from(VirtualAccount)
        .where(VirtualAccount.school_id == account.school_id, VirtualAccount.bank_account_id == account.id),
    ).one()
    made = {pupil: f"{account.number}{serial:0{_SERIAL_DIGITS}d}" for serial, pupil in enumerate(pupils, count + 1)}
    if any(len(number) > LONGEST for number in made.values()):
        return {}
    session.add_all(
        VirtualAccount(
            school_id=account.school_id,
            bank_account_id=account.id,
            number=number,
            pupil_id=pupil,
            assigned_at=now,
        )
        for pupil, number in made.items()
    )
    session.flush()
    return made
