"""The part of the sample desk that answers the pages of the till."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime

from billing.cash.denominations import DENOMINATIONS
from billing.money import Money
from service.access.roles import Place, SignedIn
from service.pages.cash_views import Sheet
from service.pages.till_views import (
    CountRow,
    DepositRow,
    DepositsPage,
    FitRow,
    HandoverRow,
    HandoversPage,
    LookedCount,
    TieAskRow,
    TillPage,
    TypedCount,
    TypedDeposit,
    TypedHandover,
    WithdrawalRow,
    WithdrawalsPage,
)
from service.pages.views import Download

COUNT_ID, DEPOSIT_ID, HANDOVER_ID = uuid.UUID(int=1801), uuid.UUID(int=1802), uuid.UUID(int=1803)
AT = datetime(2025, 10, 20, 9, 30, tzinfo=UTC)
WHO, HEAD = "Lê Thị Quỹ", "Nguyễn Hoàng Thị Phương Khánh Minh Ánh"
FORM = str(uuid.UUID(int=7))
COUNTS = (
    CountRow(
        str(COUNT_ID), AT, Money(12_325_600), Money(12_345_600), "Thối nhầm 20.000 đ cho phụ huynh lớp 1B, đã hỏi lại",
        WHO, "waiting", "", mine=False,
    ),
    CountRow(str(uuid.UUID(int=1811)), AT, Money(9_000_000), Money(9_000_000), "", WHO, "equal", "", mine=False),
    CountRow(str(uuid.UUID(int=1812)), AT, Money(9_001_000), Money(9_000_000), "Thừa", WHO, "agreed", HEAD, mine=False),
    CountRow(str(uuid.UUID(int=1813)), AT, Money(0), Money(9_000_000), "Đếm sót", WHO, "rejected", HEAD, mine=False),
)  # fmt: skip
FITS = (
    FitRow(str(uuid.UUID(int=1820)), date(2025, 10, 20), Money(9_000_000), "NOP TIEN MAT NT 000123 LE THI QUY",
           "FT25293001234", "slip"),
    FitRow(str(uuid.UUID(int=1821)), date(2025, 10, 21), Money(9_000_000), "", "9", "amount"),
)  # fmt: skip
ASKED = TieAskRow(
    str(uuid.UUID(int=1825)), date(2025, 11, 5), Money(9_000_000), "FW2345678AB NOP TIEN MAT LE THI QUY",
    "Nhân viên quầy ghi nhầm mã của một em vào nội dung", HEAD, mine=False,
)  # fmt: skip
DEPOSITS = (
    DepositRow(str(DEPOSIT_ID), AT, Money(9_000_000), "Vietcombank ••••8901", "NT 000123", WHO, "transit", "",
               mine=False, fits=FITS, others=FITS[1:]),
    DepositRow(str(uuid.UUID(int=1829)), AT, Money(9_000_000), "Vietcombank ••••8901", "NT 000119", WHO, "transit", "",
               mine=False, fits=(), asked=ASKED),
    DepositRow(str(uuid.UUID(int=1830)), AT, Money(4_000_000), "BIDV ••••0101", "NT 000122", WHO, "tied", "FT252920009",
               mine=False, fits=()),
    DepositRow(str(uuid.UUID(int=1831)), AT, Money(1_000), "BIDV ••••0101", "NT 000121", WHO, "ended", "Ghi nhầm",
               mine=False, fits=()),
)  # fmt: skip
HANDOVERS = (
    HandoverRow(str(HANDOVER_ID), 3, AT, WHO, HEAD, Money(12_345_600), "waiting", "", receives=True,
                gives=False, ends=False),
    HandoverRow(str(uuid.UUID(int=1840)), 2, AT, WHO, HEAD, Money(1_000), "refused", "Thiếu chứng từ", receives=False,
                gives=False, ends=False),
    HandoverRow(str(uuid.UUID(int=1841)), 1, AT, WHO, HEAD, Money(1_000), "accepted", "", receives=False,
                gives=False, ends=False),
)  # fmt: skip
WITHDRAWALS = tuple(
    WithdrawalRow(
        str(uuid.UUID(int=1850 + number)), AT, Money(9_000_000), account, "SEC 000123", WHO, stands, about, mine=False
    )
    for number, (stands, account, about) in enumerate(
        (
            ("transit", "Vietcombank ••••8901", ""),
            ("tied", "BIDV ••••0101", "FT252920009"),
            ("paper", "", ""),
            ("ended", "BIDV ••••0101", "Ghi nhầm số tiền của tờ séc trước"),
        )
    )
)


class SampleTill:
    """Answers from the records above, and remembers what was done."""

    done: list[tuple[str, str]]

    def till(self, who: SignedIn, place: Place, typed: TypedCount, now: datetime) -> TillPage:
        del who, place, now
        shown = [*typed.notes, *[""] * len(DENOMINATIONS)][: len(DENOMINATIONS)]
        looked = LookedCount(Money(12_325_600), Money(-20_000), FORM) if typed.notes else None
        notes = tuple(zip(DENOMINATIONS, shown, strict=True))
        days = (date(2025, 10, 17),)
        return TillPage(
            Money(12_345_600), notes, looked, COUNTS, waits=False, uncounted=days, keeps=True, sheet=Sheet(2, 3)
        )

    def count_till(self, who: SignedIn, place: Place, typed: TypedCount, now: datetime) -> None:
        del who, place, now
        self.done.append(("count", typed.form))

    def decide_count(  # noqa: PLR0913  as the desk has it
        self, who: SignedIn, place: Place, count_id: uuid.UUID, reason: str, now: datetime, *, agreed: bool
    ) -> None:
        del who, place, now
        self.done.append(("decide count", f"{count_id} {agreed} {reason}"))

    def deposits(self, who: SignedIn, place: Place, number: int, now: datetime) -> DepositsPage:
        del who, place, number, now
        accounts = ((str(uuid.UUID(int=9)), "Vietcombank ••••8901"),)
        return DepositsPage(
            Money(3_325_600),
            counted=True,
            accounts=accounts,
            transit=Money(9_000_000),
            form=FORM,
            rows=DEPOSITS,
            keeps=True,
            sheet=Sheet(1, 2),
        )

    def deposit_cash(self, who: SignedIn, place: Place, typed: TypedDeposit, now: datetime) -> None:
        del who, place, now
        self.done.append(("deposit", typed.amount))

    def tie_deposit(self, who: SignedIn, place: Place, deposit_id: uuid.UUID, transfer: str, now: datetime) -> None:
        del who, place, now
        self.done.append(("tie", f"{deposit_id} {transfer}"))

    def ask_deposit_tie(  # noqa: PLR0913, PLR0917  as the desk has it
        self, who: SignedIn, place: Place, deposit_id: uuid.UUID, transfer: str, reason: str, now: datetime
    ) -> None:
        del who, place, now
        self.done.append(("ask tie", f"{deposit_id} {transfer} {reason}"))

    def decide_deposit_tie(  # noqa: PLR0913  as the desk has it
        self, who: SignedIn, place: Place, ask_id: uuid.UUID, reason: str, now: datetime, *, agreed: bool
    ) -> None:
        del who, place, now
        self.done.append(("decide tie", f"{ask_id} {agreed} {reason}"))

    def withdrawals(self, who: SignedIn, place: Place, number: int, now: datetime) -> WithdrawalsPage:
        del who, place, number, now
        accounts = ((str(uuid.UUID(int=9)), "Vietcombank ••••8901"),)
        return WithdrawalsPage(Money(1_000), accounts, FORM, WITHDRAWALS, keeps=True, sheet=Sheet(1, 2))

    def withdraw_cash(self, who: SignedIn, place: Place, typed: TypedDeposit, now: datetime) -> None:
        del who, place, now
        self.done.append(("withdraw", typed.amount))

    def take_back_withdrawal(
        self, who: SignedIn, place: Place, withdrawal_id: uuid.UUID, reason: str, now: datetime
    ) -> None:
        del who, place, now
        self.done.append(("take back withdrawal", f"{withdrawal_id} {reason}"))

    def untie_deposit(self, who: SignedIn, place: Place, deposit_id: uuid.UUID, reason: str, now: datetime) -> None:
        del who, place, now
        self.done.append(("untie", f"{deposit_id} {reason}"))

    def take_back_deposit(self, who: SignedIn, place: Place, deposit_id: uuid.UUID, reason: str, now: datetime) -> None:
        del who, place, now
        self.done.append(("take back deposit", f"{deposit_id} {reason}"))

    def handovers(self, who: SignedIn, place: Place, number: int, now: datetime) -> HandoversPage:
        del who, place, number, now
        people = ((str(uuid.UUID(int=8)), f"{HEAD} (Người duyệt)"),)
        return HandoversPage(
            Money(1_000),
            Money(12_345_600),
            14,
            counted=True,
            waits=False,
            people=people,
            form=FORM,
            rows=HANDOVERS,
            keeper=WHO,
            keeps=True,
            sheet=Sheet(2, 2),
        )

    def hand_over(self, who: SignedIn, place: Place, typed: TypedHandover, now: datetime) -> None:
        del who, place, now
        self.done.append(("hand over", typed.receiver))

    def decide_handover(  # noqa: PLR0913  as the desk has it
        self, who: SignedIn, place: Place, handover_id: uuid.UUID, reason: str, now: datetime, *, accepted: bool
    ) -> None:
        del who, place, now
        self.done.append(("decide hand-over", f"{handover_id} {accepted} {reason}"))

    def handover_record(self, who: SignedIn, place: Place, handover_id: uuid.UUID, now: datetime) -> Download:
        del who, place, handover_id, now
        return Download(b"%PDF-1.4", "application/pdf", "Bàn giao.pdf")
