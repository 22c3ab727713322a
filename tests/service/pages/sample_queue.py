"""The part of the sample desk that answers the people's queue."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime

from billing.errors import RowProblem
from billing.money import Money
from service.access.roles import Place, SignedIn
from service.pages.queue_act_views import ActRow, Oddity, PaidRow
from service.pages.queue_views import (
    BulkPage,
    BulkRow,
    Confirmed,
    PartRow,
    PastRow,
    Preview,
    PupilHit,
    TogetherPage,
    TransferPage,
    TypedSplit,
    WaitingList,
)
from service.pages.views import Download

ACT_ID = uuid.UUID(int=74)
AT = datetime(2025, 10, 6, 2, 0, tzinfo=UTC)
PAID = PaidRow("Nguyễn Thị Minh Ánh", "3A1", Money(1_250_000), "2025-2026-0000012", ("TB-0001",))
PUPIL = str(uuid.UUID(int=73))
ACT = ActRow(
    str(ACT_ID), "assign", str(uuid.UUID(int=71)), "SEPAY-93001122", Money(1_250_000), "NOP TIEN T10",
    "Phụ huynh gọi điện", "Trần Thị Thu", AT, (PAID,), mine=False,
)  # fmt: skip
MINE = ActRow(
    str(uuid.UUID(int=75)), "undo", str(uuid.UUID(int=71)), "SEPAY-93001100", Money(5_000), "", "nhầm em",
    "Lê Văn An", AT, (PAID,), mine=True,
)  # fmt: skip
MANY = ActRow(
    str(uuid.UUID(int=76)), "assign", str(uuid.UUID(int=72)), "SEPAY-93001133", Money(3_900_000), "UBND XA HO TRO",
    "Xã hỗ trợ theo danh sách", "Trần Thị Thu", AT, tuple(
        PaidRow(
            f"Điểu Bảo {number}", f"3A{number % 2 + 1}", Money(650_000), "", ("TB-0003",), f"{number}",
            None if number else Oddity("part", Money(650_000), "phải nộp 700.000 đ"),
        )
        for number in range(6)
    ), mine=False,
)  # fmt: skip
PART = PartRow(
    PUPIL, "Điểu Bảo", "3A1", Money(650_000), "", (("b1", "TB-0002 · còn 650.000 đ"),), "650.000 đ vào TB-0002"
)
PROBLEM = RowProblem(3, "Số tiền", "Số tiền “mười” không đọc được.", "Ghi số đồng.")


class SampleQueue:
    """A frozen queue; remembers what was done."""

    done: list[tuple[str, str]]
    waiting_list: WaitingList

    def waiting(self, who: SignedIn, place: Place, words: str = "") -> WaitingList:
        del who, place, words
        return self.waiting_list

    def matched(self, who: SignedIn, place: Place, words: str) -> WaitingList:
        del who, place, words
        return self.waiting_list

    def waiting_transfer(self, who: SignedIn, place: Place, transfer_id: uuid.UUID, words: str = "") -> TransferPage:
        del who, place, transfer_id
        hit = PupilHit(PUPIL, "Điểu Bảo", "7500000017", "3A1", Money(650_000), "Số điện thoại phụ huynh")
        past = (PastRow(AT, "", "Chờ người xử lý"), PastRow(AT, "Trần Thị Thu", "Ghi chú", "Đã gọi phụ huynh"))
        row = self.waiting_list.rows[0]
        if words == "da ghi":
            return TransferPage(row, "matched", "Đã ghi cho học sinh", (), "", past, (PAID,), None, ())
        act = MINE if words == "viec" else None
        hits = (hit,) if words else ()
        return TransferPage(row, "waiting", "Chờ người xử lý", hits, words, past, (), act, ((PUPIL, "3A1"),))

    def preview_split(self, who: SignedIn, place: Place, transfer_id: uuid.UUID, split: TypedSplit) -> Preview:
        del who, place, transfer_id
        if split.text == "sai":
            return Preview(self.waiting_list.rows[0], (), "", plain=False, error="Có chỗ cần sửa.", problems=(PROBLEM,))
        return Preview(self.waiting_list.rows[0], (PART, PART), "ab", plain=False)

    def assign_transfer(self, who: SignedIn, place: Place, confirmed: Confirmed, now: datetime) -> bool:
        del who, now
        self.done.append((f"assign {len(confirmed.split.shares)}", place.code))
        return True

    def retry_transfer(self, who: SignedIn, place: Place, transfer_id: uuid.UUID, seen: str, now: datetime) -> bool:
        del who, transfer_id, seen, now
        self.done.append(("retry", place.code))
        return False

    def comment_transfer(self, who: SignedIn, place: Place, transfer_id: uuid.UUID, words: str, now: datetime) -> None:
        del who, transfer_id, words, now
        self.done.append(("comment", place.code))

    def undo_transfer(  # noqa: PLR0913, PLR0917  as the desk promises it
        self, who: SignedIn, place: Place, transfer_id: uuid.UUID, seen: str, reason: str, now: datetime
    ) -> None:
        del who, transfer_id, seen, reason, now
        self.done.append(("undo", place.code))

    def open_acts(self, who: SignedIn, place: Place) -> tuple[ActRow, ...]:
        del who, place
        return ACT, MINE, MANY

    def agree_act(self, who: SignedIn, place: Place, act_id: uuid.UUID, now: datetime) -> None:
        del who, act_id, now
        self.done.append(("agree", place.code))

    def refuse_act(self, who: SignedIn, place: Place, act_id: uuid.UUID, reason: str, now: datetime) -> None:
        del who, act_id, reason, now
        self.done.append(("refuse", place.code))

    def bulk(self, who: SignedIn, place: Place, transfers: Sequence[uuid.UUID]) -> BulkPage:
        del who, place, transfers
        row = BulkRow(str(uuid.UUID(int=72)), "7.", Money(400_000), "NOP TIEN", "Điểu Bảo · 3A1")
        left = BulkRow(str(uuid.UUID(int=71)), "5.", Money(5_000), "", "", "Không có đúng một em được gợi ý.")
        return BulkPage((row,), (left,), Money(400_000), "ab")

    def assign_bulk(
        self, who: SignedIn, place: Place, seen: Sequence[tuple[uuid.UUID, str]], digest: str, now: datetime
    ) -> int:
        del who, seen, digest, now
        self.done.append(("bulk", place.code))
        return 1

    def together(
        self, who: SignedIn, place: Place, transfers: Sequence[uuid.UUID], pupil_id: str, words: str
    ) -> TogetherPage:
        del who, place, transfers
        hit = PupilHit(PUPIL, "Điểu Bảo", "7500000017", "3A1", Money(650_000))
        chosen = (str(uuid.UUID(int=71)), str(uuid.UUID(int=72)))
        if not pupil_id:
            return TogetherPage(chosen, (), (), Money(0), words=words, hits=(hit,) if words else ())
        row = BulkRow(chosen[1], "7.", Money(400_000), "NOP TIEN", "400.000 đ vào TB-0002")
        left = BulkRow(chosen[0], "5.", Money(5_000), "", "", "Không còn chờ người xử lý.")
        return TogetherPage(chosen, (row,), (left,), Money(400_000), "ab", pupil=hit)

    def assign_together(  # noqa: PLR0913, PLR0917  as the desk promises it
        self,
        who: SignedIn,
        place: Place,
        pupil_id: str,
        seen: Sequence[tuple[uuid.UUID, str]],
        digest: str,
        reason: str,
        now: datetime,
    ) -> int:
        del who, pupil_id, seen, digest, reason, now
        self.done.append(("together", place.code))
        return 1

    def split_sheet(self, who: SignedIn, place: Place, transfer_id: uuid.UUID, class_id: str) -> Download:
        del who, place, transfer_id, class_id
        return Download(b"PK", "application/octet-stream", "Chia.xlsx")

    def user_name(self, user_id: uuid.UUID | None) -> str:
        del user_id
        return "Trần Thị Thu"
