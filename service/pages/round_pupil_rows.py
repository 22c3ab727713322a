"""The pupils of a round, and one pupil's charges in full: calculated before the issue, read from bills after."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import Actor, Deed, record_deed
from billing.bills.explained import bill_facts
from billing.bills.tables import Bill
from billing.errors import NotFound
from billing.fees.charges import Charge
from billing.fees.charging import split_by_account
from billing.fees.explaining import LineFacts, explain, line_facts
from billing.money import ZERO, Money, total
from billing.payments.balances import BillBalance, bill_balances, line_dues
from billing.payments.requests import references_of
from billing.people.names import search_key, sort_key
from billing.people.tables import Pupil, PupilCode
from billing.rounds.calculating import calculate
from billing.rounds.correcting import open_corrections
from billing.rounds.expecting import expected_use
from billing.rounds.tables import ISSUED_STATES, BillingRound
from service.pages.item_rows import own_accounts
from service.pages.round_more_rows import names_of
from service.pages.round_views import ExplainedBill, ExplainedLine, PupilCharges, RoundPupil, RoundPupils

PAGE_SIZE = 100


def round_pupils(session: Session, billing_round: BillingRound, words: str, page: int) -> RoundPupils:
    """Return one page of a round's pupils in the order of class lists; words are looked for without marks."""
    issued = billing_round.state in ISSUED_STATES
    rows = _from_bills(session, billing_round) if issued else _from_charges(session, billing_round)
    wanted = search_key(words).split()
    found = [
        row for row in rows if all(word in search_key(f"{row.name} {row.code} {row.class_name}") for word in wanted)
    ]
    found.sort(key=lambda row: (row.class_name, sort_key(row.name), row.pupil_id))
    pages = max(1, -(-len(found) // PAGE_SIZE))
    page = min(page, pages)
    shown = tuple(found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE])
    return RoundPupils(billing_round.name, issued, words, page, pages, len(found), shown)


def pupil_charges(  # noqa: PLR0913, PLR0917  one pupil in one round, and who looks
    session: Session, billing_round: BillingRound, pupil_id: UUID, actor: Actor, now: datetime, language: str
) -> PupilCharges:
    """Return all that a round charges a pupil, in the full view, and write down who looked at it."""
    names = names_of(session, billing_round, [pupil_id])
    if pupil_id not in names:
        raise NotFound("Không có học sinh này trong đợt thu.")
    issued = billing_round.state in ISSUED_STATES
    if issued:
        bills = _issued_bills(session, billing_round, pupil_id, language)
    else:
        bills = _coming_bills(session, billing_round, pupil_id, language)
    deed = Deed(billing_round.school_id, "explanation.look", "pupil", str(pupil_id))
    record_deed(session, actor, deed, now, round=str(billing_round.id))
    name, class_name = names[pupil_id]
    return PupilCharges(
        round_id=str(billing_round.id),
        round_title=billing_round.name,
        pupil_id=str(pupil_id),
        pupil=name,
        code=_codes(session, [pupil_id]).get(pupil_id, ""),
        class_name=class_name,
        issued=issued,
        locked=billing_round.state == "locked",
        bills=tuple(bills),
    )


def _from_charges(session: Session, billing_round: BillingRound) -> list[RoundPupil]:
    calculated = calculate(session, billing_round)
    ids = [charge.pupil_id for charge in calculated.charges]
    expected = expected_use(session, billing_round.school_id, calculated.charges)
    names, codes = _names(session, ids), _codes(session, ids)
    return [
        RoundPupil(
            pupil_id=str(charge.pupil_id),
            name=names.get(charge.pupil_id, "?"),
            code=codes.get(charge.pupil_id, ""),
            class_name=calculated.pupils[charge.pupil_id].facts.class_name,
            gross=charge.gross,
            due=charge.family_due,
            leftover=expected.get(charge.pupil_id, ZERO),
        )
        for charge in calculated.charges
    ]


def _from_bills(session: Session, billing_round: BillingRound) -> list[RoundPupil]:
    bills = session.exec(
        select(Bill).where(Bill.school_id == billing_round.school_id, Bill.round_id == billing_round.id)
    ).all()
    by_bill = {balance.bill_id: balance for balance in _balances(session, billing_round)}
    of_pupil: defaultdict[UUID, list[Bill]] = defaultdict(list)
    for bill in bills:
        of_pupil[bill.pupil_id].append(bill)
    names, codes = names_of(session, billing_round, of_pupil), _codes(session, of_pupil)
    return [
        _issued_row(pupil_id, names.get(pupil_id, ("?", "")), codes.get(pupil_id, ""), of_pupil[pupil_id], by_bill)
        for pupil_id in of_pupil
    ]


def _issued_row(
    pupil_id: UUID, named: tuple[str, str], code: str, bills: Sequence[Bill], by_bill: Mapping[UUID, BillBalance]
) -> RoundPupil:
    live = [(bill, by_bill[bill.id]) for bill in bills if not by_bill[bill.id].void]
    return RoundPupil(
        pupil_id=str(pupil_id),
        name=named[0],
        code=code,
        class_name=named[1],
        gross=total(bill.gross for bill, _ in live),
        due=total(balance.due for _, balance in live),
        received=total(balance.received for _, balance in live),
        leftover=total(balance.leftover for _, balance in live),
        state="void" if not live else _state(balance for _, balance in live),
    )


def _state(balances: Iterable[BillBalance]) -> str:
    live = list(balances)
    due, paid = total(balance.due for balance in live), total(balance.paid for balance in live)
    if not due:
        return "covered"
    if paid >= due:
        return "paid"
    return "part_paid" if paid else "open"


def _balances(session: Session, billing_round: BillingRound) -> list[BillBalance]:
    return bill_balances(
        session, col(Bill.school_id) == billing_round.school_id, col(Bill.round_id) == billing_round.id
    )


def _coming_bills(session: Session, billing_round: BillingRound, pupil_id: UUID, language: str) -> list[ExplainedBill]:
    calculated = calculate(session, billing_round, only={pupil_id})
    accounts = dict(own_accounts(session, billing_round.school_id))
    return [
        _coming_bill(accounts.get(account, ""), part, language)
        for charge in calculated.charges
        for account, part in split_by_account(charge).items()
    ]


def _coming_bill(account: str, part: Charge, language: str) -> ExplainedBill:
    return ExplainedBill(
        bill_id="",
        number="",
        account=account,
        gross=part.gross,
        due=part.family_due,
        received=ZERO,
        state="",
        lines=tuple(_explained(line_facts(line), language) for line in part.lines),
    )


def _issued_bills(session: Session, billing_round: BillingRound, pupil_id: UUID, language: str) -> list[ExplainedBill]:
    balances = {
        balance.bill_id: balance
        for balance in bill_balances(
            session,
            col(Bill.school_id) == billing_round.school_id,
            col(Bill.round_id) == billing_round.id,
            col(Bill.pupil_id) == pupil_id,
        )
    }
    bills = session.exec(select(Bill).where(col(Bill.id).in_(balances)).order_by(col(Bill.number))).all()
    accounts = dict(own_accounts(session, billing_round.school_id))
    dues, references = line_dues(session, balances.values()), references_of(session, balances)
    facts = bill_facts(session, billing_round.school_id, balances)
    waiting = {each.bill_id: str(each.id) for each in open_corrections(session, billing_round.school_id)}
    return [
        ExplainedBill(
            bill_id=str(bill.id),
            number=bill.number,
            account=accounts.get(str(bill.bank_account_id), ""),
            gross=bill.gross,
            due=balances[bill.id].due,
            received=balances[bill.id].received,
            leftover=balances[bill.id].leftover,
            state="void" if balances[bill.id].void else _state([balances[bill.id]]),
            lines=tuple(
                _explained(billed, language, line.id or 0, dues.get(line.id or 0)) for line, billed in facts[bill.id]
            ),
            reference=references.get(bill.id, ""),
            open_correction=waiting.get(bill.id, ""),
        )
        for bill in bills
    ]


def _explained(facts: LineFacts, language: str, line_id: int = 0, due: Money | None = None) -> ExplainedLine:
    said = explain(facts, "en" if language == "en" else "vi")
    return ExplainedLine(said.name, facts.family_share, said.sentences, line_id, due)


def _names(session: Session, ids: Collection[UUID]) -> dict[UUID, str]:
    return dict(session.exec(select(Pupil.id, Pupil.full_name).where(col(Pupil.id).in_(ids))).all())


def _codes(session: Session, ids: Collection[UUID]) -> dict[UUID, str]:
    rows = session.exec(
        select(col(PupilCode.pupil_id), col(PupilCode.code))
        .where(col(PupilCode.pupil_id).in_(ids))
        .order_by(col(PupilCode.valid_from), col(PupilCode.id))
    ).all()
    return dict(rows)
