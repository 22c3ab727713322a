"""A message of Stripe's into rows: each fact once, fees into the book; payments are settled one by one afterwards."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from billing.ledger.accounts import CARD_CLEARING, open_account
from billing.ledger.posting import Fact as BookFact
from billing.ledger.posting import Line, post
from billing.ledger.tables import BankAccount
from billing.money import Money
from reconciliation.cards.facts import DisputeTold, Fact, Kind, Told, read_told
from reconciliation.cards.tables import CardCheckout, CardDispute, CardEnd, CardFact
from reconciliation.errors import CallbackUnreadable
from reconciliation.lists.booking import Booked

CLEARING_NAME = "Tiền thẻ đang chuyển"
FEES = "642T"
FEES_NAME = "Phí thanh toán thẻ"
UNCLEAR = "1388T"
UNCLEAR_NAME = "Biến động số dư Stripe chưa rõ"
BEFORE = "3389T"
BEFORE_NAME = "Tiền Stripe giữ từ trước khi mở kênh"
_FEES = frozenset({Kind.FEE, Kind.FEE_BACK})
_COSTS = _FEES | {Kind.MOVED_OUT, Kind.MOVED_IN}


def book_message(  # noqa: PLR0913  a message, where it belongs, and the mode that is meant
    session: Session, account: BankAccount, inbox_id: int, body: bytes, now: datetime, *, live: bool | None
) -> Booked:
    """Write what a stored message tells and is not known; how many facts were new and known is not transfers.

    ``live`` is the mode of the account's API key, None where it has none. Raises ``CallbackUnreadable`` for a message
    of the other mode, for money that we did not ask for, or of another sum than was told or asked.
    """
    told = read_told(body)
    _refuse_other_mode(told, live=live)
    for fact in told.facts:
        _refuse_foreign(session, account, fact)
        _write(session, account, inbox_id, fact, now)
    for each in told.disputes:
        _write_dispute(session, account.school_id, inbox_id, each)
    for checkout in told.ended:
        _end(session, account.school_id, checkout, now)
    return Booked(written=0, known=len(told.facts) + len(told.disputes) + len(told.ended))


def is_ours(session: Session, account: BankAccount, body: bytes) -> bool:
    """Tell whether what a message tells of payments would be booked, and not put aside."""
    try:
        for fact in read_told(body).facts:
            _refuse_foreign(session, account, fact)
    except CallbackUnreadable:
        return False
    return True


def tells_news(session: Session, school_id: UUID, told: Told) -> bool:
    """Tell whether a message tells anything that has no row yet; what is refused counts as news."""
    facts = {fact.key for fact in told.facts}
    disputes = {(each.dispute.id, each.dispute.status) for each in told.disputes}
    return bool(
        facts - _known_facts(session, school_id, facts)
        or disputes - _known_disputes(session, school_id, disputes)
        or set(told.ended) - _known_ends(session, school_id, told.ended)
    )


def _known_facts(session: Session, school_id: UUID, keys: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    query = select(CardFact.kind, CardFact.stripe_id).where(
        CardFact.school_id == school_id, tuple_(col(CardFact.kind), col(CardFact.stripe_id)).in_(list(keys))
    )
    return set(session.exec(query).all()) if keys else set()


def _known_disputes(session: Session, school_id: UUID, keys: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    query = select(CardDispute.dispute_id, CardDispute.status).where(
        CardDispute.school_id == school_id, tuple_(col(CardDispute.dispute_id), col(CardDispute.status)).in_(list(keys))
    )
    return set(session.exec(query).all()) if keys else set()


def _known_ends(session: Session, school_id: UUID, checkouts: Sequence[UUID]) -> set[UUID]:
    query = select(CardEnd.checkout_id).where(
        CardEnd.school_id == school_id, col(CardEnd.checkout_id).in_(list(checkouts))
    )
    return set(session.exec(query).all()) if checkouts else set()


def _refuse_other_mode(told: Told, *, live: bool | None) -> None:
    """Refuse what another mode than the API key's tells: money of Stripe's test mode is none."""
    if live is not None and not told.modes <= {live}:
        mode = "chế độ thử" if live else "chế độ thật"
        raise CallbackUnreadable(f"Tin này thuộc {mode} của Stripe, khác với khóa API của trường: không ghi gì")


def _refuse_foreign(session: Session, account: BankAccount, fact: Fact) -> None:
    """Refuse a payment that is not one of ours, or of another sum than was asked for."""
    if fact.kind is not Kind.PAID:
        return
    checkout = session.exec(
        select(CardCheckout).where(
            CardCheckout.school_id == account.school_id,
            CardCheckout.bank_account_id == account.id,
            CardCheckout.id == fact.checkout,
        )
    ).one_or_none()
    if checkout is None:
        raise CallbackUnreadable("Khoản thẻ này không do trường mở qua hệ thống", intent=fact.intent)
    if checkout.amount != fact.amount:
        raise CallbackUnreadable(
            f"Stripe báo {fact.amount} cho lần nộp thẻ {checkout.amount}: hãy xem trong trang của Stripe",
            intent=fact.intent,
        )
    if _paid_otherwise(session, account.school_id, fact):
        raise CallbackUnreadable(
            "Lần nộp thẻ này đã được trả bằng một khoản khác của Stripe: hãy xem trong trang của Stripe và hoàn khoản "
            "thừa ở đó",
            intent=fact.intent,
        )


def _paid_otherwise(session: Session, school_id: UUID, fact: Fact) -> bool:
    """Tell whether another payment of Stripe's stands for a payment's checkout: one page takes money once."""
    query = select(CardFact.id).where(
        CardFact.school_id == school_id,
        CardFact.kind == Kind.PAID.value,
        CardFact.checkout_id == fact.checkout,
        CardFact.stripe_id != fact.stripe_id,
    )
    return session.exec(query.limit(1)).first() is not None


def _write(session: Session, account: BankAccount, inbox_id: int, fact: Fact, now: datetime) -> None:
    values = {
        "school_id": account.school_id,
        "bank_account_id": account.id,
        "kind": fact.kind.value,
        "stripe_id": fact.stripe_id,
        "intent_id": fact.intent,
        "checkout_id": fact.checkout,
        "amount": fact.amount,
        "occurred_at": fact.at,
        "value_date": fact.day,
        "inbox_id": inbox_id,
        "recorded_at": now,
        "note": fact.note,
    }
    added = insert(CardFact).values(values).on_conflict_do_nothing(index_elements=["school_id", "kind", "stripe_id"])
    if session.execute(added.returning(col(CardFact.id))).scalar_one_or_none() is None:
        _demand_same(session, account, fact)
        return
    if fact.kind in _COSTS:
        _post_cost(session, account, fact, now)


def _demand_same(session: Session, account: BankAccount, fact: Fact) -> None:
    """Refuse another sum under a known key: nothing is ever overwritten."""
    known = session.exec(
        select(col(CardFact.amount), col(CardFact.checkout_id)).where(
            CardFact.school_id == account.school_id,
            CardFact.kind == fact.kind.value,
            CardFact.stripe_id == fact.stripe_id,
        )
    ).one()
    if tuple(known) != (fact.amount, fact.checkout):
        raise CallbackUnreadable(f"Mã {fact.stripe_id} của Stripe đã có với số tiền khác", stripe_id=fact.stripe_id)


def _post_cost(session: Session, account: BankAccount, fact: Fact, now: datetime) -> None:
    """Post once what Stripe took of its balance by itself; what it gave back goes the other way.

    A fee is a cost. What nobody can tell the meaning of stands on an account of its own until two people have looked.
    """
    open_clearing(session, account.school_id)
    other = open_fees(session, account.school_id) if fact.kind in _FEES else open_unclear(session, account.school_id)
    taken = fact.kind in {Kind.FEE, Kind.MOVED_OUT}
    debit, credit = (other, CARD_CLEARING) if taken else (CARD_CLEARING, other)
    about = BookFact(account.school_id, f"card_{fact.kind.value}", fact.stripe_id, fact.day)
    post(session, about, [Line(debit, credit, fact.amount)], now)


def open_fees(session: Session, school_id: UUID) -> str:
    """Return the account of Stripe's fees, opened if it is missing."""
    return open_account(session, school_id, FEES, FEES_NAME, "expense").code


def open_unclear(session: Session, school_id: UUID) -> str:
    """Return the account of movements that are to be looked at, opened if it is missing."""
    return open_account(session, school_id, UNCLEAR, UNCLEAR_NAME, "clearing").code


def open_before(session: Session, school_id: UUID) -> str:
    """Return the account of what Stripe held before its feeds were opened, opened if it is missing."""
    return open_account(session, school_id, BEFORE, BEFORE_NAME, "clearing").code


def open_clearing(session: Session, school_id: UUID) -> str:
    """Return the account on which card money is on its way, opened if it is missing."""
    return open_account(session, school_id, CARD_CLEARING, CLEARING_NAME, "clearing").code


def _write_dispute(session: Session, school_id: UUID, inbox_id: int, told: DisputeTold) -> None:
    dispute = told.dispute
    values = {
        "school_id": school_id,
        "dispute_id": dispute.id,
        "intent_id": dispute.intent,
        "status": dispute.status[:60],
        "reason": dispute.reason[:60],
        "amount": Money(dispute.amount),
        "due_by": dispute.due_by,
        "told_at": told.at,
        "inbox_id": inbox_id,
    }
    session.execute(insert(CardDispute).values(values).on_conflict_do_nothing())


def _end(session: Session, school_id: UUID, checkout: UUID, now: datetime) -> None:
    known = select(CardCheckout.id).where(CardCheckout.school_id == school_id, CardCheckout.id == checkout)
    if session.exec(known).one_or_none() is None:
        raise CallbackUnreadable("Trang thẻ này không do trường mở qua hệ thống", checkout=str(checkout))
    row = {"checkout_id": checkout, "school_id": school_id, "at": now}
    session.execute(insert(CardEnd).values(row).on_conflict_do_nothing())
