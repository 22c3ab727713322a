"""Money out with suggestions and purposes, and differences between feeds, from rows of one school."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

from sqlmodel import Session, col, exists, select

from billing.fees.tables import FeeItem
from billing.ledger.tables import BankAccount
from billing.money import total
from reconciliation.daily_check import statement_gaps
from reconciliation.differences.differing import KIND_NAMES as DIFFERENCE_NAMES
from reconciliation.differences.differing import Kind, Movement, age, by_age
from reconciliation.differences.reading import Differing, differing
from reconciliation.outgoing.kinds import KIND_NAMES, TIE_KINDS, Sent, Suggestion, Waiting, suggest
from reconciliation.outgoing.reading import OpenOut, live, open_out, sums_by_kind, waiting_for_money
from reconciliation.outgoing.tables import MoneyOut
from reconciliation.reports.filling import account_name
from reconciliation.reports.records import STATES
from reconciliation.tables import Feed, InboxMessage, Transfer
from service.access.tables import User
from service.pages.bank_reversal_rows import credited, reversal_rows
from service.pages.money_out_views import (
    AccountDifferences,
    DifferenceRow,
    DifferencesPage,
    MoneyOutPage,
    OutRow,
    PurposeRow,
    SchoolDifferences,
    Sought,
    SuggestedRow,
    Sum,
    TieRow,
)

SHOWN = 100
_TELLERS = ("file", "list")  # every other scheme is a way of calling us
LOOKED_BACK = timedelta(days=400)  # a school year and the summer after it


def money_out_page(  # noqa: PLR0913  who looks, and for what
    session: Session,
    school_id: UUID,
    today: date,
    viewer: UUID | None = None,
    sought: Sought = Sought(),  # noqa: B008  it is frozen
    *,
    named: bool,
) -> MoneyOutPage:
    """Return money out of a school; whoever may not see it row by row gets the sums (``named``)."""
    left = open_out(session, school_id)
    waiting = waiting_for_money(session, school_id) if named else []
    taken = credited(session, [each.transfer for each in left[:SHOWN]], sought) if named else {}
    ages = by_age((_unknown(each) for each in left), today)
    kinds = sums_by_kind(session, school_id, date.min, date.max)
    return MoneyOutPage(
        rows=tuple(
            replace(_out_row(each, waiting, today), credited=taken.get(each.transfer.id)) for each in left[:SHOWN]
        )
        if named
        else (),
        unshown=max(len(left) - SHOWN, 0) if named else 0,
        ages=ages,
        kinds=tuple(Sum(KIND_NAMES[each.kind], each.count, each.amount) for each in kinds),
        purposes=_purposes(session, school_id) if named else (),
        items=_items(session, school_id),
        reversals=reversal_rows(session, school_id, viewer) if named else (),
    )


def differences_page(session: Session, school_id: UUID, today: date, *, named: bool) -> DifferencesPage:
    """Return what the feeds of a school's accounts tell differently; sums alone unless ``named``."""
    accounts = session.exec(
        select(BankAccount)
        .where(BankAccount.school_id == school_id)
        .order_by(col(BankAccount.bank_bin), col(BankAccount.number))
    ).all()
    found = differing(session, [school_id], today - LOOKED_BACK)
    shown = tuple(
        replace(
            _account(each, [row for row in found if row.account_id == each.id], today, named=named),
            gaps=tuple(statement_gaps(session, each)),
            compared=_is_compared(session, each),
        )
        for each in accounts
    )
    return DifferencesPage(shown, today - LOOKED_BACK)


def _is_compared(session: Session, account: BankAccount) -> bool:
    """Tell whether two kinds of feed ever told of an account: with one alone nothing is compared."""
    schemes = session.exec(
        select(Feed.scheme)
        .where(Feed.school_id == account.school_id, Feed.bank_account_id == account.id)
        .where(exists().where(col(InboxMessage.feed_id) == col(Feed.id)))
    ).all()
    return len({each if each in _TELLERS else "callback" for each in schemes}) > 1


def school_differences(session: Session, school_id: UUID, name: str, today: date) -> SchoolDifferences:
    """Return the sums of one school."""
    found, left = differing(session, [school_id], today - LOOKED_BACK), open_out(session, school_id)
    return SchoolDifferences(
        school=name,
        count=len(found),
        amount=total(each.amount for each in found),
        oldest=max((age(each.day, today) for each in found), default=0),
        unknown_count=len(left),
        unknown_amount=total(each.rest for each in left),
    )


def _out_row(left: OpenOut, waiting: Sequence[Waiting], today: date) -> OutRow:
    transfer = left.transfer
    sent = Sent(
        left.rest, transfer.value_date, transfer.memo, transfer.bank_reference or "", str(transfer.bank_account_id)
    )
    return OutRow(
        transfer_id=str(transfer.id),
        account=account_name(left.account),
        day=transfer.value_date,
        days=age(transfer.value_date, today),
        amount=transfer.amount,
        rest=left.rest,
        memo=transfer.memo,
        number=transfer.bank_reference or transfer.provider_id,
        suggested=tuple(_suggested(each) for each in suggest(sent, waiting)),
        ties=tuple(_tie(each) for each in waiting if each.amount <= left.rest and each.can_leave(sent.account)),
    )


def _suggested(suggestion: Suggestion) -> SuggestedRow:
    return SuggestedRow(suggestion.rule, KIND_NAMES[suggestion.kind], tuple(_tie(each) for each in suggestion.ties))


def _tie(waiting: Waiting) -> TieRow:
    return TieRow(waiting.key, KIND_NAMES[TIE_KINDS[waiting.tie]], waiting.words, waiting.amount, waiting.day)


def _unknown(left: OpenOut) -> Movement:
    return Movement(left.transfer.value_date, left.rest, frozenset(), covered=False, called=False)


def _purposes(session: Session, school_id: UUID) -> tuple[PurposeRow, ...]:
    rows = session.exec(
        select(MoneyOut, Transfer, User.full_name)
        .join(Transfer, col(Transfer.id) == col(MoneyOut.transfer_id))
        .join(User, col(User.id) == col(MoneyOut.made_by))
        .where(MoneyOut.school_id == school_id, live())
        .order_by(col(MoneyOut.at).desc(), col(MoneyOut.id).desc())
        .limit(SHOWN)
    ).all()
    return tuple(
        PurposeRow(
            purpose_id=str(row.id),
            day=transfer.value_date,
            amount=row.amount,
            kind=KIND_NAMES[row.kind],
            about=_about(row),
            by=name,
            at=row.at,
        )
        for row, transfer, name in rows
    )


def _about(row: MoneyOut) -> str:
    """Return item, paper and reason, each once; what the kind says already is left out."""
    told = dict.fromkeys(part for part in (row.item_code, row.document, row.reason) if part)
    told.pop(KIND_NAMES[row.kind], None)
    return " · ".join(told)


def _items(session: Session, school_id: UUID) -> tuple[tuple[str, str], ...]:
    rows = session.exec(
        select(FeeItem).where(FeeItem.school_id == school_id).order_by(col(FeeItem.position), col(FeeItem.code))
    ).all()
    return tuple((row.code, row.legal_name) for row in rows)


def _account(account: BankAccount, found: Sequence[Differing], today: date, *, named: bool) -> AccountDifferences:
    by_kind = {kind: [each for each in found if kind in each.kinds] for kind in DIFFERENCE_NAMES}
    return AccountDifferences(
        account=account_name(account),
        kinds=tuple(
            Sum(DIFFERENCE_NAMES[kind], len(rows), total(each.amount for each in rows))
            for kind, rows in by_kind.items()
            if rows
        ),
        ages=by_age((each.movement for each in found), today),
        rows=tuple(_difference(each, today) for each in found[:SHOWN]) if named else (),
        count=len(found),
    )


def _difference(row: Differing, today: date) -> DifferenceRow:
    return DifferenceRow(
        day=row.day,
        days=age(row.day, today),
        incoming=row.incoming,
        amount=row.amount,
        memo=row.memo,
        number=row.number,
        state=STATES[row.state],
        kinds=tuple(kind.value for kind in row.kinds),
        doubted=str(row.transfer_id) if row.state == "ignored_out" and Kind.NOT_ON_STATEMENT in row.kinds else "",
    )
