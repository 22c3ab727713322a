"""A transfer nobody could place goes back: two people, one account, one transfer out, and back again from the bank."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from billing.credits.payee import PAYER, TYPED
from billing.credits.paying_out import states_of
from billing.credits.refunding import approve_refund, lines_of, payee_of, reject_refund
from billing.credits.tables import Refund, RefundLine
from billing.errors import Conflict, NotFound, Refused, SamePerson
from billing.ledger.tables import JournalEntry
from billing.money import Money
from billing.payments.recording import Received, record_payment
from reconciliation.outgoing.kinds import Sent, Tie, suggest
from reconciliation.outgoing.reading import waiting_for_money
from reconciliation.outgoing.tables import MoneyOut
from reconciliation.reports.filling import report_record
from reconciliation.reports.records import checks
from reconciliation.returning.asking import Chosen, ask_return
from reconciliation.returning.deciding import approve, bring_back, give_up
from reconciliation.tables import Transfer, TransferStep
from tests.factories.unbroken import violations
from tests.reconciliation.outgoing.outgoing_world import Spending, tied

PROOF = "Đơn của người chuyển ngày 02/10/2025, đã gọi lại số trong đơn"
TO = Chosen(TYPED, "970436", "Nguyễn Văn Hòa", "0071000123456", PROOF)
SUM = 777_000
MEMO = "chuyen nham"


def came(spending: Spending, session: Session) -> UUID:
    transfer = spending.books(session, SUM, MEMO, incoming=True)
    assert spending.state(session, transfer) == "waiting"
    return transfer


def ask(spending: Spending, session: Session, transfer: UUID, chosen: Chosen = TO) -> Refund:
    return ask_return(
        session, spending.vault, spending.accountant, spending.id, transfer, chosen, "Không rõ của ai", spending.now
    )


def agree(spending: Spending, session: Session, refund: Refund) -> RefundLine:
    approve(session, spending.vault, refund.id, spending.insuring.school.billing.approver, spending.now)
    (line,) = lines_of(session, refund)
    return line


def sound(spending: Spending, session: Session) -> None:
    """Assert that no invariant is broken and that the report agrees with itself."""
    session.flush()
    assert violations(session, spending.now) == []
    day = spending.now.date()
    report = report_record(session, spending.id, day.replace(month=9, day=1), day, spending.now)
    assert [each for each in checks(report) if each.difference] == []


def test_it_goes_back_whole_and_is_tied_to_what_left(spending: Spending) -> None:
    with spending.open() as session:
        transfer = came(spending, session)
        before = spending.balances(session)
        refund = ask(spending, session, transfer)
        assert spending.state(session, transfer) == "waiting", "nothing moves before another person agreed"
        with pytest.raises(SamePerson):
            approve(session, spending.vault, refund.id, spending.accountant, spending.now)
        line = agree(spending, session, refund)
        assert (line.amount, line.pupil_id, spending.state(session, transfer)) == (Money(SUM), None, "refunding")
        after = spending.balances(session)
        moved = {**before, "3388S": before["3388S"] + SUM, "3388H": before.get("3388H", 0) - SUM}
        assert after == {code: amount for code, amount in moved.items() if amount}
        sound(spending, session)
        out = spending.books(session, SUM, f"hoan tra {line.code} truong th")
        (suggestion,) = suggest(
            Sent(Money(SUM), spending.now.date(), f"MBVCB.1.HOAN {line.code}.CT"),
            waiting_for_money(session, spending.id),
        )
        assert (suggestion.rule, [each.id for each in suggestion.ties]) == ("refund_code", [str(line.id)])
        spending.classify(session, out, tied(Tie.REFUND, line.id))
        assert spending.state(session, transfer) == "refunded"
        assert "3388H" not in spending.balances(session)
        assert states_of(session, spending.id, [line.id])[line.id].word == "sent"
        sound(spending, session)
        steps = session.exec(
            select(TransferStep.to_state, TransferStep.reason, TransferStep.made_by)
            .where(TransferStep.transfer_id == transfer)
            .order_by(col(TransferStep.id))
        ).all()
        assert [state for state, _, _ in steps][-2:] == ["refunding", "refunded"]
        assert steps[-1][2] == spending.accountant.user_id


def test_it_is_taken_back_and_waits_again(spending: Spending) -> None:
    with spending.open() as session:
        transfer = came(spending, session)
        before = spending.balances(session)
        line = agree(spending, session, ask(spending, session, transfer))
        give_up(session, line.id, spending.accountant, "Phụ huynh đã gọi tới", spending.now)
        assert (spending.state(session, transfer), spending.balances(session)) == ("waiting", before)
        sound(spending, session)
        again = ask(spending, session, transfer)
        with pytest.raises(Conflict, match="Đã có đề nghị"):
            ask(spending, session, transfer)
        reject_refund(session, again.id, spending.accountant, "Nhầm", spending.now)
        ask(spending, session, transfer)
        sound(spending, session)


def test_what_the_bank_brings_back_opens_the_line_again(spending: Spending) -> None:
    with spending.open() as session:
        transfer = came(spending, session)
        line = agree(spending, session, ask(spending, session, transfer))
        with pytest.raises(NotFound, match="chưa gắn"):
            bring_back(session, spending.accountant, spending.id, line.id, transfer, spending.now)
        out = spending.books(session, SUM, f"hoan {line.code}")
        spending.classify(session, out, tied(Tie.REFUND, line.id))
        other = spending.books(session, SUM + 1, "tra lai lenh chuyen", incoming=True)
        with pytest.raises(Conflict, match="khác"):
            bring_back(session, spending.accountant, spending.id, line.id, other, spending.now)
        back = spending.books(session, SUM, f"tra lai {line.code}", incoming=True)
        bring_back(session, spending.accountant, spending.id, line.id, back, spending.now)
        assert [spending.state(session, each) for each in (transfer, back)] == ["refunding", "matched"]
        assert states_of(session, spending.id, [line.id])[line.id].word == "approved"
        assert spending.balances(session)["3388H"] == -SUM
        assert spending.balances(session).get("1388") is None
        sound(spending, session)
        second = spending.books(session, SUM, f"hoan lan 2 {line.code}")
        spending.classify(session, second, tied(Tie.REFUND, line.id))
        assert spending.state(session, transfer) == "refunded"
        sound(spending, session)
        purpose = session.exec(select(MoneyOut.id).where(MoneyOut.transfer_id == second)).one()
        spending.take_back(session, purpose)
        assert spending.state(session, transfer) == "refunding"
        sound(spending, session)


def test_the_paying_account_is_paid_back_only_where_the_bank_named_it(spending: Spending) -> None:
    with spending.open() as session:
        transfer = came(spending, session)
        with pytest.raises(Refused, match="ngân hàng không nêu"):
            ask(spending, session, transfer, Chosen(PAYER, "970436"))
        with pytest.raises(Refused, match="căn cứ"):
            ask(spending, session, transfer, Chosen(TYPED, "970436", "Nguyễn Văn Hòa", "0071000123456"))
        with pytest.raises(Refused, match="Hãy chọn trả về"):
            ask(spending, session, transfer, Chosen("ai do", "970436"))
        refund = ask(spending, session, transfer)
        (line,) = lines_of(session, refund)
        assert (payee_of(spending.vault, line).account, line.account_masked) == (TO.account, "…3456")


def test_the_database_refuses(spending: Spending) -> None:
    with spending.open() as session:
        transfer = came(spending, session)
        refund = ask(spending, session, transfer)
        (line,) = lines_of(session, refund)
        values: dict[str, Any] = {name: getattr(line, name) for name in RefundLine.model_fields}
        del values["id"], values["code"]
    with pytest.raises(ValueError, match="is of a transfer"), spending.open() as session:
        approve_refund(session, refund.id, spending.insuring.school.billing.approver, spending.now)
    bad: dict[str, dict[str, Any]] = {
        "asked back already": {},
        "goes back whole": {"amount": Money(SUM - 1)},
        "goes back whole, not": {"amount": Money(SUM + 1)},
        "of_a_pupil_or_a_transfer": {"transfer_id": None},
    }
    for words, change in bad.items():
        with pytest.raises(IntegrityError, match=words), spending.open() as session:
            write_line(session, refund, {**values, **change})
    with pytest.raises(IntegrityError, match="goes from waiting to refunding"), spending.open() as session:
        move(session, transfer, "refunding")
    with pytest.raises(IntegrityError, match="does not approve it"), spending.open() as session:
        decide(session, refund, refund.made_by, spending)
    with spending.open() as session:
        agree(spending, session, refund)
    for state in ("waiting", "refunded", "matched"):
        with pytest.raises(IntegrityError, match=f"goes from refunding to {state}"), spending.open() as session:
            move(session, transfer, state)
    with pytest.raises(IntegrityError, match="goes back pays nothing"), spending.open() as session:
        pay(session, spending, transfer)


def move(session: Session, transfer: UUID, state: str) -> None:
    session.execute(update(Transfer).where(col(Transfer.id) == transfer).values(state=state))


def pay(session: Session, spending: Spending, transfer: UUID) -> None:
    pupil, day = spending.insuring.school.pupil(), spending.now.date()
    received = Received(
        school_id=spending.id, pupil_id=pupil, source_kind="transfer", source_id=transfer, amount=Money(SUM),
        value_date=day,
    )  # fmt: skip
    record_payment(session, received, (), spending.now)


def write_line(session: Session, like: Refund, values: dict[str, Any]) -> None:
    other = Refund(school_id=like.school_id, reason="x", made_by=like.made_by, made_at=like.made_at)
    session.add(other)
    session.flush()
    session.add(RefundLine(**{**values, "refund_id": other.id}))
    session.flush()


def decide(session: Session, refund: Refund, by: UUID, spending: Spending) -> None:
    session.execute(
        text(
            "INSERT INTO refund_decisions (refund_id, school_id, approved, decided_by, reason, at)"
            " VALUES (:refund, :school, true, :by, '', :now)"
        ),
        {"refund": refund.id, "school": refund.school_id, "by": by, "now": spending.now},
    )


def paid_back(spending: Spending, session: Session) -> RefundLine:
    """Return a line whose money went out and is tied, all by the accountant."""
    line = agree(spending, session, ask(spending, session, came(spending, session)))
    out = spending.books(session, SUM, f"hoan {line.code}")
    spending.classify(session, out, tied(Tie.REFUND, line.id))
    return line


def test_nobody_alone_takes_money_without_the_code_for_what_the_bank_brought_back(spending: Spending) -> None:
    with spending.open() as session:
        line = paid_back(spending, session)
        other = spending.books(session, SUM, "me be Lan nop hoc phi", incoming=True)
        with pytest.raises(SamePerson, match="không nêu mã hoàn"):
            bring_back(session, spending.accountant, spending.id, line.id, other, spending.now)
        assert spending.state(session, other) == "waiting"
        approver = spending.insuring.school.billing.approver
        bring_back(session, approver, spending.id, line.id, other, spending.now)
        assert spending.state(session, other) == "matched"
        sound(spending, session)


def test_money_of_another_account_or_under_decision_was_not_brought_back(spending: Spending) -> None:
    with spending.open() as session:
        line = paid_back(spending, session)
        elsewhere = spending.books(session, SUM, f"tra {line.code}", incoming=True, account=spending.treasury)
        asked_for = spending.books(session, SUM, f"tra lai {line.code}", incoming=True)
        ask(spending, session, asked_for)
        for money, why in ((elsewhere, "tài khoản khác"), (asked_for, "người khác quyết định")):
            with pytest.raises(Conflict, match=why):
                bring_back(session, spending.accountant, spending.id, line.id, money, spending.now)
            assert spending.state(session, money) == "waiting"


def test_money_that_left_before_the_approval_is_booked_on_its_day(spending: Spending) -> None:
    with spending.open() as session:
        line = agree(spending, session, ask(spending, session, came(spending, session)))
        early = spending.now.date() - timedelta(days=3)
        out = spending.books(session, SUM, f"hoan {line.code}", day=early)
        (purpose,) = spending.classify(session, out, tied(Tie.REFUND, line.id))
        entry = session.exec(select(JournalEntry).where(JournalEntry.id == purpose.entry_id)).one()
        assert entry.value_date == spending.now.date()
        step = states_of(session, spending.id, [line.id])[line.id].step
        assert step is not None
        assert step.day == spending.now.date()
        sound(spending, session)


def test_the_paying_account_is_asked_about_again_at_the_approval(spending: Spending) -> None:
    account = "0071000999888"
    with spending.open() as session:
        money = spending.books(session, SUM, MEMO, incoming=True, payer=(account, "NGUYEN VAN HOA"))
        refund = ask(spending, session, money, Chosen(PAYER, "970436"))
        (line,) = lines_of(session, refund)
        assert payee_of(spending.vault, line).account == account
        spending.books(session, 1_000, "nop", incoming=True, payer=(account, "CONG TY TNHH MOT THANH VIEN SAO MAI"))
        with pytest.raises(Conflict, match="của một đơn vị"):
            agree(spending, session, refund)
        assert spending.state(session, money) == "waiting"
