"""The part of the sample desk that answers the pages of relief."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime

from billing.money import Money
from service.access.roles import Place, SignedIn
from service.pages.relief_views import (
    Debtor,
    OpenBillRow,
    ReliefList,
    ReliefPupil,
    ReliefRow,
    TypedGrace,
    TypedWriteOff,
)
from service.pages.views import Download
from tests.service.pages.sample_rounds import PUPIL_ID

AT = datetime(2025, 10, 20, 2, 0, tzinfo=UTC)
TODAY = date(2025, 10, 20)
NAME = "Nguyễn Thị Minh Ánh"
PARTS = ((date(2025, 11, 5), Money(200_000)), (date(2025, 11, 20), Money(306_000)))


def _row(number: int, kind: str, stands: str, *, mine: bool = False) -> ReliefRow:
    grace = kind == "grace"
    return ReliefRow(
        relief_id=str(uuid.UUID(int=900 + number)),
        kind=kind,
        pupil_id=str(PUPIL_ID),
        pupil=NAME,
        number="" if grace else "TB2510-000001",
        until=PARTS[-1][0] if grace else None,
        parts=PARTS if grace else (),
        amount=None if grace else Money(506_000),
        decision="" if grace else "15/QĐ-TH",
        decided_on=None if grace else TODAY,
        reason="Theo đơn của gia đình" if grace else "Không liên lạc được",
        maker="Trần Thị Thu",
        made_at=AT,
        stands=stands,
        mine=mine,
        papers=() if grace else ((str(uuid.UUID(int=950)), "quyet-dinh-15.pdf"),),
    )


ROWS = (
    _row(1, "write_off", "waiting"),
    _row(2, "grace", "waiting", mine=True),
    _row(3, "grace", "approved"),
    _row(4, "write_off", "approved"),
    _row(5, "write_off", "ended"),
    _row(6, "grace", "refused"),
)
BILLS = (
    OpenBillRow("1", "TB2510-000001", "tháng 10/2025", date(2025, 10, 15), Money(506_000), PARTS[-1][0]),
    OpenBillRow("2", "TB2511-000001", "tháng 11/2025", date(2025, 11, 15), Money(750_000), None),
)


class SampleRelief:
    """Frozen reliefs; remembers what was done."""

    done: list[tuple[str, str]]

    def reliefs(self, who: SignedIn, place: Place, words: str, now: datetime) -> ReliefList:
        del who, place, now
        return ReliefList(words, (Debtor(str(PUPIL_ID), NAME, Money(1_256_000), 2),), ROWS)

    def relief_pupil(self, who: SignedIn, place: Place, pupil_id: uuid.UUID, now: datetime) -> ReliefPupil:
        del who, place, now
        return ReliefPupil(str(pupil_id), NAME, BILLS, ROWS[:2], TODAY)

    def ask_grace(self, who: SignedIn, place: Place, typed: TypedGrace, now: datetime) -> None:
        del place, typed, now
        self.done.append(("ask grace", who.login))

    def ask_write_off(self, who: SignedIn, place: Place, typed: TypedWriteOff, now: datetime) -> None:
        del place, typed, now
        self.done.append(("ask write-off", who.login))

    def approve_relief(self, who: SignedIn, place: Place, relief_id: uuid.UUID, now: datetime) -> None:
        del place, relief_id, now
        self.done.append(("approve relief", who.login))

    def refuse_relief(self, who: SignedIn, place: Place, relief_id: uuid.UUID, reason: str, now: datetime) -> None:
        del place, relief_id, reason, now
        self.done.append(("refuse relief", who.login))

    def end_relief(self, who: SignedIn, place: Place, relief_id: uuid.UUID, reason: str, now: datetime) -> None:
        del place, relief_id, reason, now
        self.done.append(("end relief", who.login))

    def relief_paper(self, who: SignedIn, place: Place, paper_id: uuid.UUID, now: datetime) -> Download:
        del who, place, paper_id, now
        return Download(b"%PDF-1.7", "application/pdf", "quyet-dinh-15.pdf")
