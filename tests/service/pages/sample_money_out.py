"""The part of the sample desk that answers the pages of money out and of differences between feeds."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime

from billing.money import Money
from reconciliation.differences.differing import Aged
from reconciliation.statements.following import Gap
from service.access.roles import Place, SignedIn
from service.pages.money_out_views import (
    AccountDifferences,
    Credited,
    DifferenceRow,
    DifferencesPage,
    MoneyOutPage,
    OutRow,
    PurposeRow,
    ReversalRow,
    SchoolDifferences,
    Sought,
    SuggestedRow,
    Sum,
    TieRow,
    TypedPurpose,
)

TRANSFER_ID, PURPOSE_ID = uuid.UUID(int=1301), uuid.UUID(int=1302)
DAY = date(2025, 10, 6)
AT = datetime(2025, 10, 8, 2, 0, tzinfo=UTC)
AGES = (
    Aged(0, 1, 1, Money(11_000)),
    Aged(2, 3, 0, Money(0)),
    Aged(4, 7, 1, Money(4_738_500)),
    Aged(8, None, 1, Money(1_250_000_000)),
)
PAYOUT = TieRow("bhyt:" + str(uuid.UUID(int=1)), "Chuyển cơ quan BHYT", "BHYT 2025.1", Money(4_738_500), DAY)
LINE = TieRow(
    "hoan:" + str(uuid.UUID(int=2)), "Trả lại, chi trả cho gia đình", "Nguyễn Thị Minh Ánh · TIENAN · ••••3456",
    Money(64_000), DAY,
)  # fmt: skip
MEMO = "NGAN HANG THU PHI DICH VU QUAN LY TAI KHOAN THANG 10/2025 KHONG THUE GTGT TK0071000123456"
CAME = (str(uuid.UUID(int=1306)), "01/10/2025 · Nguyễn Thị Minh Ánh · FW2345678AB NGUYEN THI MINH ANH · FT25274000999")
CREDITED = Credited((CAME,), 21, "minh anh")
ROWS = (
    OutRow(str(TRANSFER_ID), "Vietcombank ••••8901", DAY, 5, Money(4_738_500), Money(4_738_500),
           "TRUONG TH TAN LAP NOP BHYT HOC SINH DOT 1", "FT25279001234",
           (SuggestedRow("same_number", "Chuyển cơ quan BHYT", (PAYOUT,)),), (PAYOUT, LINE),
           CREDITED),
    OutRow(str(uuid.UUID(int=1303)), "Vietcombank ••••8901", DAY, 1, Money(150_000), Money(11_000), MEMO, "FT252790099",
           (SuggestedRow("fee_words", "Phí ngân hàng", ()),), ()),
    OutRow(str(uuid.UUID(int=1304)), "BIDV ••••0101", DAY, 30, Money(1_250_000_000), Money(1_250_000_000), "", "9", (),
           (LINE,)),
)  # fmt: skip
KINDS = (Sum("Phí ngân hàng", 12, Money(132_000)), Sum("Chưa rõ", 3, Money(1_254_749_500)))
PURPOSES = (
    PurposeRow(str(PURPOSE_ID), DAY, Money(12_400_000), "Chi mua cho khoản thu hộ, chi hộ", "DONGPHUC · HD 0000123",
               "Trần Thị Thu", AT),
)  # fmt: skip
REVERSALS = (
    ReversalRow(
        str(uuid.UUID(int=1307)), Money(650_000), date(2025, 10, 3), "FW2345678AB NGUYEN THI MINH ANH", DAY,
        "Công văn 12 của ngân hàng: lệnh chuyển nhầm", "Trần Thị Thu", own=False,
    ),
    ReversalRow(
        str(uuid.UUID(int=1308)), Money(300_000), date(2025, 10, 2), "nop tien thang 10", DAY,
        "Chọn nhầm tiền vào", "Trần Thị Thu", own=False, undoes=True,
    ),
)  # fmt: skip
IN, OUT = True, False
DIFFERENCES = (
    DifferenceRow(DAY, 9, IN, Money(650_000), "FW2345678AB nop tien T10", "FT1", "Đã khớp", ("not_on_statement",)),
    DifferenceRow(DAY, 5, IN, Money(25_000_000), "", "4711", "Tạm giữ", ("not_on_statement", "only_listed")),
    DifferenceRow(DAY, 1, OUT, Money(11_000), MEMO, "FT25279009", "Tiền ra", ("never_called",)),
    DifferenceRow(
        DAY, 1, OUT, Money(9_000_000), "rut tien", "4712", "Tiền ra", ("not_on_statement",), str(uuid.UUID(int=1305))
    ),
)
SUMS = (
    Sum("Đã báo, không có trên sao kê", 3, Money(34_650_000)),
    Sum("Có trên sao kê, không được báo", 1, Money(11_000)),
)
GAP = Gap(date(2025, 10, 3), date(2025, 10, 6), Money(1_070_000), Money(9_000_000), Money(0))


class SampleMoneyOut:
    """Answers from the records above, and remembers what was done."""

    done: list[tuple[str, str]]

    def money_out(self, who: SignedIn, place: Place, sought: Sought, now: datetime) -> MoneyOutPage:
        del who, place, sought, now
        items = (("DONGPHUC", "Đồng phục"), ("TIENAN", "Tiền ăn bán trú"))
        return MoneyOutPage(ROWS, 2, AGES, KINDS, PURPOSES, items, REVERSALS)

    def ask_reversal(  # noqa: PLR0913, PLR0917  which money takes which back, and why
        self, who: SignedIn, place: Place, transfer_id: uuid.UUID, came: str, reason: str, now: datetime
    ) -> bool:
        del place, transfer_id, came, reason, now
        self.done.append(("ask reversal", who.login))
        return False

    def decide_reversal(  # noqa: PLR0913  which one, how, and why
        self, who: SignedIn, place: Place, reversal_id: uuid.UUID, reason: str, now: datetime, *, agreed: bool
    ) -> bool:
        del place, reversal_id, reason, now
        self.done.append((f"decide reversal {agreed}", who.login))
        return agreed

    def classify_out(
        self, who: SignedIn, place: Place, transfer_id: uuid.UUID, typed: TypedPurpose, now: datetime
    ) -> None:
        del who, place, now
        self.done.append(("classify", f"{transfer_id} {typed.ties} {typed.kind}"))

    def take_back_out(self, who: SignedIn, place: Place, purpose_id: uuid.UUID, reason: str, now: datetime) -> bool:
        del who, place, now
        self.done.append(("take back", f"{purpose_id} {reason}"))
        return True

    def feed_differences(self, who: SignedIn, place: Place, now: datetime) -> DifferencesPage:
        del who, place, now
        some = AccountDifferences("Vietcombank ••••8901", SUMS, AGES, DIFFERENCES, 5, (GAP,))
        none = AccountDifferences("Kho bạc ••••6701", (), (), (), 0, compared=False)
        return DifferencesPage((some, none), date(2024, 9, 1))

    def province_differences(self, who: SignedIn, place: Place, now: datetime) -> tuple[SchoolDifferences, ...]:
        del who, place, now
        return (
            SchoolDifferences("Trường Tiểu học Tân Lập", 3, Money(25_661_000), 9, 3, Money(1_254_749_500)),
            SchoolDifferences("Trường THCS Hoa Mai", 0, Money(0), 0, 0, Money(0)),
        )
