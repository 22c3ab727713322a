"""The second child of a family: looked up where a reduction asks for it, and only there."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest
from sqlalchemy import event
from sqlmodel import Session

from billing.fees.tables import Reduction
from billing.rounds.calculating import calculate
from billing.rounds.drafting import find_round
from billing.storage import new_id
from billing.vault import Vault
from service.database import EVERYTHING, Database
from tests.factories.rounds import BillingSchool, approved_round, make_billing_school
from tests.factories.schools import MADE_AT, Enrolled, make_guardian, make_pupil

Family = tuple[Enrolled, Enrolled]


def make_family(session: Session, vault: Vault, billing: BillingSchool) -> Family:
    """Let two children with one father come to the school, the elder one first."""
    group, province = billing.pupils[0].class_group, billing.school.province_id
    elder = make_pupil(session, group, "Chị", province_id=province, born=date(2016, 1, 1))
    younger = make_pupil(session, group, "Em", province_id=province, born=date(2018, 1, 1))
    make_guardian(session, vault, younger, elder, name="Cha")
    return elder, younger


def make_own_reduction(session: Session, child: Enrolled, from_sibling: int) -> None:
    """Give a pupil a reduction of its own that holds for the n-th child of a family and later ones."""
    session.add(
        Reduction(
            school_id=child.enrolment.school_id,
            enrolment_id=child.enrolment.id,
            title="Giảm cho con thứ",
            item_codes=["NUOCUONG"],
            from_sibling=from_sibling,
            kind="percent",
            percent=10,
            payer="school",
            reason_class="con thứ",
            legal_basis="Quy chế nhà trường",
            evidence="Sổ hộ khẩu",
            valid_from=date(2025, 9, 1),
            approved_by=new_id(),
        )
    )
    session.flush()


def reduced(session: Session, round_id: UUID) -> set[UUID]:
    """Return the pupils of whose charge the school takes a share, as the round would be issued now."""
    charges = calculate(session, find_round(session, round_id)).charges
    return {
        charge.pupil_id
        for charge in charges
        if any(each.reduction.payer == "school" for line in charge.lines for each in line.reductions)
    }


def test_a_private_school_gives_its_discount_to_the_second_child(database: Database, vault: Vault) -> None:
    with database.transaction(EVERYTHING) as session:
        billing = make_billing_school(session, vault, pupils=1, catalogue="private-school")
        _, younger = make_family(session, vault, billing)
        assert reduced(session, approved_round(session, billing, MADE_AT)) == {younger.id}


@pytest.mark.parametrize(("from_sibling", "place"), [(1, 0), (2, 1)])
def test_a_pupils_own_reduction_asks_for_the_place_among_siblings(
    database: Database, vault: Vault, from_sibling: int, place: int
) -> None:
    with database.transaction(EVERYTHING) as session:
        billing = make_billing_school(session, vault, pupils=1)
        family = make_family(session, vault, billing)
        for child in family:
            make_own_reduction(session, child, from_sibling)
        expected = {child.id for child in family[place:]}
        assert reduced(session, approved_round(session, billing, MADE_AT)) == expected


def test_nobody_is_looked_up_where_no_reduction_asks(database: Database, vault: Vault) -> None:
    asked: list[str] = []
    with database.transaction(EVERYTHING) as session:
        billing = make_billing_school(session, vault, pupils=1)
        elder, _ = make_family(session, vault, billing)
        round_id = approved_round(session, billing, MADE_AT)
        event.listen(session.connection(), "before_cursor_execute", lambda *told: asked.append(str(told[2])))
        calculate(session, find_round(session, round_id), contacts=False)
        assert asked
        assert not any("guardianships" in statement for statement in asked)
        asked.clear()
        make_own_reduction(session, elder, 2)
        calculate(session, find_round(session, round_id), contacts=False)
        assert any("guardianships" in statement for statement in asked)
