"""Who was asked about before leaving and again after coming back: what was chosen last counts."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from billing.fees.pupils import BilledPupil
from billing.rounds.catching_up import choices_of
from billing.rounds.tables import LateChoice
from billing.storage import new_id
from tests.factories.fees import pupil

NOW = datetime(2025, 11, 5, tzinfo=UTC)


def chosen(number: int, enrolment: UUID, kind: str) -> LateChoice:
    return LateChoice(
        id=number, school_id=new_id(), round_id=new_id(), enrolment_id=enrolment, item_id=new_id(), kind=kind,
        reason="", made_by=new_id(), at=NOW,
    )  # fmt: skip


def test_the_choice_of_the_second_stay_counts_and_others_choices_do_not() -> None:
    first, second, other = new_id(), new_id(), new_id()
    back = BilledPupil(pupil(), second, new_id(), (first,))
    rows = {
        (second, "HOCPHAM"): chosen(7, second, "leave"),
        (first, "HOCPHAM"): chosen(3, first, "take"),
        (first, "PHUHIEU"): chosen(4, first, "take"),
        (other, "DANGOAI"): chosen(9, other, "take"),
    }
    assert {code: row.kind for code, row in choices_of(back, rows).items()} == {"HOCPHAM": "leave", "PHUHIEU": "take"}
