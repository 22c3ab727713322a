"""A reduction that nobody approved yet: named in the preview, not in the bill; approved later, the round is stale."""

from datetime import date, datetime

import pytest
from sqlmodel import select

from billing.bills.tables import Bill
from billing.documents.filling import lines_of
from billing.errors import Conflict
from billing.fees.explaining import plain_lines
from billing.fees.preview import OddityKind
from billing.fees.reducing import NewReduction, approve_reduction, enter_reduction
from billing.money import Money
from billing.rounds.issuing import issue_round
from billing.rounds.previewing import preview_round
from billing.vault import Vault
from service.database import EVERYTHING, Database
from tests.factories.rounds import REFERENCE_KEY, approved_round, make_billing_school


def test_only_an_approved_reduction_reaches_the_bill(database: Database, vault: Vault, now: datetime) -> None:
    with database.transaction(EVERYTHING) as session:
        billing = make_billing_school(session, vault, pupils=2, catalogue="private-school")
        child = billing.pupils[0]
        new = NewReduction(child.enrolment.id, "TRUONGGIAM", date(2025, 9, 1), "Đơn của gia đình", percent=40)
        enter_reduction(session, billing.school, new, billing.accountant, now)
        round_id = approved_round(session, billing, now)
        preview = preview_round(session, round_id, billing.accountant, now)
        waiting = [each for each in preview.oddities if each.kind is OddityKind.WAITING_REDUCTION]
        assert [each.pupil_id for each in waiting] == [child.id]
        assert not any(word in waiting[0].text for word in ("khó khăn", "40", "%"))
        assert preview.totals.school == Money(0)


def test_an_approval_after_the_round_was_approved_sends_it_back(
    database: Database, vault: Vault, now: datetime
) -> None:
    with database.transaction(EVERYTHING) as session:
        billing = make_billing_school(session, vault, pupils=1, catalogue="private-school")
        child = billing.pupils[0]
        new = NewReduction(child.enrolment.id, "TRUONGGIAM", date(2025, 9, 1), "Đơn của gia đình", percent=40)
        row = enter_reduction(session, billing.school, new, billing.accountant, now)
        round_id = approved_round(session, billing, now)
        approve_reduction(session, billing.id, row.id, billing.approver, now)
        with pytest.raises(Conflict, match="xem trước và trình duyệt lại"):
            issue_round(session, round_id, now, REFERENCE_KEY)


def test_the_family_reads_the_net_and_no_more(database: Database, vault: Vault, now: datetime) -> None:
    with database.transaction(EVERYTHING) as session:
        billing = make_billing_school(session, vault, pupils=1, catalogue="private-school")
        child = billing.pupils[0]
        new = NewReduction(child.enrolment.id, "TRUONGGIAM", date(2025, 9, 1), "Đơn của gia đình", percent=40)
        row = enter_reduction(session, billing.school, new, billing.accountant, now)
        approve_reduction(session, billing.id, row.id, billing.approver, now)
        issue_round(session, approved_round(session, billing, now), now, REFERENCE_KEY)
        bill = session.exec(select(Bill)).one()
        shown = plain_lines(lines_of(session, [bill.id])[bill.id])
        assert [(line.name, line.amount.dong, line.detail) for line in shown] == [
            ("Học phí", 1_500_000, ""),
            ("Tiền ăn", 621_000, ""),
        ]
