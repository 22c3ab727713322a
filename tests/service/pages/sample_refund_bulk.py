"""The part of the sample desk that answers the pages of refunds in bulk."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime

from billing.money import Money
from service.access.roles import Place, SignedIn
from service.pages.refund_bulk_views import BatchRow, BulkPage, BulkQuery, GroundRow, LeftOut, Papers, TypedGround
from service.pages.views import Download

BATCH_ID = uuid.UUID(int=85)
_REFUND = uuid.UUID(int=81)
BULK = BulkPage(
    BulkQuery("TIENAN", "", "", "bank"), "Tiền ăn bán trú · mọi lớp", 212, Money(13_568_000),
    (LeftOut("Nguyễn Thị Minh Ánh", "3A1", Money(64_000), "phụ huynh chưa nhập tài khoản nhận tiền"),),
    "3f9a",
)  # fmt: skip
PAPERS = Papers(
    GroundRow("12/KL-TTr", date(2025, 9, 30), "ket-luan-thanh-tra.pdf"),
    (BatchRow(str(BATCH_ID), 2, Money(50_000), "Trần Thị Thu", datetime(2025, 10, 4, 3, tzinfo=UTC), 0),),
    2,
    cash=True,
)
_FILE = Download(b"PK", "application/octet-stream", "tep.xlsx")


class SampleRefundBulk:
    """Frozen refunds in bulk; remembers what was done."""

    done: list[tuple[str, str]]

    def bulk_page(self, who: SignedIn, place: Place, query: BulkQuery, now: datetime) -> BulkPage:
        del who, place, query, now
        return BULK

    def ask_in_bulk(  # noqa: PLR0913, PLR0917  what was chosen, seen and typed
        self, who: SignedIn, place: Place, query: BulkQuery, seen: str, reason: str, ground: TypedGround, now: datetime
    ) -> uuid.UUID:
        del place, query, seen, reason, ground, now
        self.done.append(("ask in bulk", who.login))
        return _REFUND

    def refund_papers(self, who: SignedIn, place: Place, refund_id: uuid.UUID) -> Papers:
        del who, place, refund_id
        return PAPERS

    def refund_ground(self, who: SignedIn, place: Place, refund_id: uuid.UUID, now: datetime) -> Download:
        del who, place, refund_id, now
        return _FILE

    def make_batch(self, who: SignedIn, place: Place, refund_id: uuid.UUID, day: str, now: datetime) -> None:
        del place, refund_id, day, now
        self.done.append(("make batch", who.login))

    def bank_batch(  # noqa: PLR0913, PLR0917  which file, in which layout
        self, who: SignedIn, place: Place, refund_id: uuid.UUID, batch_id: uuid.UUID, layout: str, now: datetime
    ) -> Download:
        del who, place, refund_id, batch_id, layout, now
        return _FILE

    def cash_sheet(self, who: SignedIn, place: Place, refund_id: uuid.UUID, now: datetime) -> Download:
        del who, place, refund_id, now
        return _FILE
