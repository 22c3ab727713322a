"""Using credit: set against open bills as payments that bring no money, with the book and without a receipt.

One transaction at a time uses credit or asks for it back at a school. Whoever does takes ``hold_credit`` before any
bill is held, so that two never wait for each other in a circle.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlmodel import Session

from billing.bills.holding import hold_bills
from billing.credits.dealing import BillKey, OpenBill, Rule, Use, deal
from billing.credits.reading import Kept, as_credits, free_credit, rules_of
from billing.events.recording import CREDIT_USED, record_events
from billing.ledger.accounts import FAMILY_CREDIT, FAMILY_RECEIVABLE
from billing.ledger.posting import Fact, Line
from billing.ledger.posting_many import Posted, post_many
from billing.loading import load_temporary
from billing.money import Money
from billing.payments.still_open import StillOpen, open_bills
from billing.storage import new_id

_VIET_NAM = timedelta(hours=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """Why credit is used: a round is issued, or a person says so, with a reason.

    ``items`` names the credit that may be used (all of it if None; None within it is money without an item);
    ``freely`` sets it against any open bill, whatever the rule of its item is.
    """

    school_id: UUID
    round_id: UUID | None = None
    made_by: UUID | None = None
    reason: str = ""
    items: frozenset[str | None] | None = None
    freely: bool = False


@dataclass(frozen=True, slots=True)
class Used:
    """Credit that was set against a bill: the payment that stands for it."""

    payment_id: UUID
    pupil_id: UUID
    use: Use[UUID]


def hold_credit(session: Session, school_id: UUID) -> None:
    """Wait until nobody else uses credit of this school or asks for it back; see the trigger ``credit_is_there``."""
    name = {"name": f"credit {school_id}"}
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"), name)


def use_credit(session: Session, occasion: Occasion, pupils: Collection[UUID], now: datetime) -> list[Used]:
    """Set the credit of some pupils against their open bills by the rule, and return what was used."""
    session.flush()
    hold_credit(session, occasion.school_id)
    kept = _wanted(free_credit(session, occasion.school_id, pupils), occasion.items)
    if not kept:
        return []
    with_credit = {pupil for pupil, _ in kept}
    hold_bills(
        session, occasion.school_id, [each.bill_id for each in open_bills(session, occasion.school_id, with_credit)]
    )
    bills = open_bills(session, occasion.school_id, with_credit)
    dealt = dealt_for(kept, _rules(session, occasion), as_open(session, occasion.school_id, bills, _offset(occasion)))
    used = [Used(new_id(), pupil, use) for pupil, uses in dealt.items() for use in uses]
    _write(session, occasion, used, now)
    return used


def dealt_for(
    kept: Kept, rules: dict[str, Rule], bills: Mapping[UUID, Sequence[OpenBill[BillKey]]]
) -> dict[UUID, tuple[Use[BillKey], ...]]:
    """Return, by pupil, which credit would pay which of these bills."""
    return {pupil: deal(credits_, bills.get(pupil, ())) for pupil, credits_ in as_credits(kept, rules).items()}


def tell_used(session: Session, school_id: UUID, used: Iterable[Used], now: datetime) -> None:
    """Append one event for each bill that credit was set against: notices are written from these."""
    by_bill: dict[UUID, list[Used]] = defaultdict(list)
    for each in used:
        by_bill[each.use.bill].append(each)
    happened = (
        (
            bill,
            {
                "pupil_id": str(of_bill[0].pupil_id),
                "used": sum(each.use.amount.dong for each in of_bill),
                "payments": [str(each.payment_id) for each in of_bill],
            },
        )
        for bill, of_bill in by_bill.items()
    )
    record_events(session, school_id, CREDIT_USED, happened, now)


def _wanted(kept: Kept, items: frozenset[str | None] | None) -> Kept:
    return {key: amount for key, amount in kept.items() if items is None or key[1] in items}


def _rules(session: Session, occasion: Occasion) -> dict[str, Rule]:
    rules = rules_of(session, occasion.school_id)
    if occasion.freely:
        named = occasion.items or frozenset(rules)
        return {item: Rule.OFFSET for item in named if item is not None}
    return rules


def _offset(occasion: Occasion) -> frozenset[UUID] | None:
    return None if occasion.round_id is None else frozenset({occasion.round_id})


def as_open(
    session: Session, school_id: UUID, bills: Sequence[StillOpen], rounds: frozenset[UUID] | None
) -> dict[UUID, list[OpenBill[UUID]]]:
    """Return open bills by pupil, as the rule takes them.

    Leftovers of other items may pay the bills of ``rounds``; None: of all.
    """
    room = room_by_item(session, school_id, [bill.bill_id for bill in bills])
    found: dict[UUID, list[OpenBill[UUID]]] = defaultdict(list)
    for bill in bills:
        offset = rounds is None or bill.round_id in rounds
        found[bill.pupil_id].append(OpenBill(bill.bill_id, bill.rest, tuple(room.get(bill.bill_id, ())), offset))
    return found


_ROOM = text("""
    WITH lines AS (
        SELECT l.bill_id, l.item_code, sum(l.family_share - coalesce(c.off, 0))::bigint AS due, min(l.position) AS place
        FROM bill_lines l
        LEFT JOIN (SELECT line_id, sum(off_rest + to_credit) AS off FROM bill_credits
                   WHERE school_id = :school AND bill_id = ANY (:bills) GROUP BY line_id) c ON c.line_id = l.id
        WHERE l.school_id = :school AND l.bill_id = ANY (:bills) GROUP BY 1, 2
    ), used AS (
        SELECT u.bill_id, u.item_code, sum(u.amount)::bigint AS amount
        FROM credit_uses u
        JOIN payments p ON p.school_id = u.school_id AND p.source_kind = 'credit' AND p.source_id = u.id
        WHERE u.school_id = :school AND u.bill_id = ANY (:bills)
          AND NOT EXISTS (SELECT 1 FROM payment_reversals v WHERE v.payment_id = p.id) GROUP BY 1, 2
    )
    SELECT n.bill_id, n.item_code, greatest(n.due - coalesce(u.amount, 0), 0)
    FROM lines n LEFT JOIN used u ON u.bill_id = n.bill_id AND u.item_code = n.item_code
    ORDER BY n.bill_id, n.place
""")


def room_by_item(session: Session, school_id: UUID, bills: Sequence[UUID]) -> dict[UUID, list[tuple[str, Money]]]:
    """Return, by bill, what each item on it can still take from its own credit: its lines less what it took before."""
    found: dict[UUID, list[tuple[str, Money]]] = defaultdict(list)
    for bill, item, room in session.execute(_ROOM, {"school": school_id, "bills": list(bills)}):
        found[bill].append((item, Money(room)))
    return found


_USES = {
    "id": "uuid",
    "payment_id": "uuid",
    "pupil_id": "uuid",
    "item_code": "text",
    "bill_id": "uuid",
    "amount": "bigint",
}
_INSERT_USES = text("""
    INSERT INTO credit_uses (id, school_id, pupil_id, item_code, bill_id, amount, round_id, made_by, reason, at)
    SELECT id, :school_id, pupil_id, item_code, bill_id, amount, :round_id, :made_by, :reason, :now
    FROM pg_temp.new_credit_uses
""")
_INSERT_PAYMENTS = text("""
    INSERT INTO payments (id, school_id, pupil_id, source_kind, source_id, turn, amount, value_date, recorded_at)
    SELECT payment_id, :school_id, pupil_id, 'credit', id, 1, amount, :day, :now FROM pg_temp.new_credit_uses
""")
_INSERT_ALLOCATIONS = text("""
    INSERT INTO allocations (school_id, payment_id, bill_id, amount)
    SELECT :school_id, payment_id, bill_id, amount FROM pg_temp.new_credit_uses ORDER BY bill_id
""")


def _write(session: Session, occasion: Occasion, used: Sequence[Used], now: datetime) -> None:
    if not used:
        return
    day = (now + _VIET_NAM).date()
    rows = (
        (new_id(), each.payment_id, each.pupil_id, each.use.item, each.use.bill, each.use.amount.dong) for each in used
    )
    load_temporary(session, "new_credit_uses", _USES, rows)
    shared = {"school_id": occasion.school_id, "now": now}
    by = {"round_id": occasion.round_id, "made_by": occasion.made_by, "reason": occasion.reason}
    session.execute(_INSERT_USES, {**shared, **by})
    session.execute(_INSERT_PAYMENTS, {**shared, "day": day})
    session.execute(_INSERT_ALLOCATIONS, {"school_id": occasion.school_id})
    post_many(session, occasion.school_id, [_posted(occasion.school_id, each, day) for each in used], now)


def _posted(school_id: UUID, used: Used, day: date) -> Posted:
    use = used.use
    line = Line(FAMILY_CREDIT, FAMILY_RECEIVABLE, use.amount, used.pupil_id, use.item, use.bill)
    return Posted(Fact(school_id, "payment", str(used.payment_id), day), (line,))
