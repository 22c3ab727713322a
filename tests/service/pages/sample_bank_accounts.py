"""The part of the sample desk that answers the page of bank accounts."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, date, datetime

from reconciliation.feeds import bidv_getbill, vietqrvn_check_order
from reconciliation.feeds.base import Answer
from service.access.roles import Place, SignedIn
from service.pages.bank_account_views import Abilities, AccountRow, BankAccountsPage, ChangeRow, TypedAccount
from tests.service.pages.sample_numbers import SampleNumbers

CHANGE_ID = uuid.UUID(int=1200)
KNOWN = "known"
AT = datetime(2025, 10, 20, 2, 0, tzinfo=UTC)
_TREASURY = Abilities("statement", only_virtual=False, can_qr=False, memo_code="")
_BANK = Abilities("callback", only_virtual=False, can_qr=True, memo_code="SEVQR")
_NUMBERS = Abilities("callback", only_virtual=True, can_qr=True, memo_code="")
NAME = "TRUONG TIEU HOC TAN LAP"
SINCE = date(2025, 8, 1)
LACKING = ("Nguyễn Thị Minh Ánh", "Lê Văn Bảo")
CASSO = ("casso (v2)",)
ACCOUNTS = (
    AccountRow("a1", "Vietcombank", "1012345678901", NAME, _BANK, SINCE, None, None, ("SePay (chữ ký trên cả tin)",)),
    AccountRow("a2", "BIDV", "96300101", NAME, _NUMBERS, SINCE, None, None, (), LACKING),
    AccountRow("a3", "Agribank", "5600201012345", NAME, _BANK, date(2024, 8, 1), SINCE, date(2026, 8, 1), CASSO),
)


def _change(number: int, stands: str, *, mine: bool = False, **more: object) -> ChangeRow:
    return ChangeRow(
        change_id=str(uuid.UUID(int=CHANGE_ID.int + number)),
        bank="Kho bạc",
        number="37130123456701",
        holder="TRUONG TIEU HOC TAN LAP",
        abilities=_TREASURY,
        replaces="Vietcombank …8901",
        reason="Công văn 12/KBNN",
        asked_by="Trần Thị Thu",
        asked_at=AT,
        stands=stands,
        mine=mine,
        **more,  # type: ignore[arg-type]  # a test's short hand
    )


TOLD = (("Lê Thị Hà", "accepted"), ("Phạm Văn Kiểm", "no_address"))
CHANGES = (
    _change(0, "waiting", told=TOLD),
    _change(1, "waiting", mine=True),
    _change(2, "agreed", approved_by="Lê Thị Hà", in_force_at=AT.replace(day=21), told=TOLD),
    _change(3, "stopped", stopped_by="Lê Thị Hà", stopped_for="Sai số tài khoản"),
    _change(4, "opened", approved_by="Lê Thị Hà", in_force_at=AT),
)


class SampleBankAccounts(SampleNumbers):
    """Answers from the records above, and remembers what was done."""

    done: list[tuple[str, str]]

    def bank_accounts(self, who: SignedIn, place: Place) -> BankAccountsPage:
        del who, place
        return BankAccountsPage(ACCOUNTS, CHANGES, (("970436", "Vietcombank"),), 24)

    def bidv_getbill(self, token: str, body: bytes, now: datetime) -> Answer | None:
        del body, now
        return bidv_getbill.answer(bidv_getbill.NO_BILL) if token == KNOWN else None

    def vietqrvn_check_order(self, token: str, body: bytes, headers: Mapping[str, str], now: datetime) -> Answer | None:
        del body, headers, now
        return vietqrvn_check_order.failed(vietqrvn_check_order.NOT_FOUND) if token == KNOWN else None

    def ask_account(self, who: SignedIn, place: Place, typed: TypedAccount, now: datetime) -> None:
        del who, place, now
        self.done.append(("ask account", typed.number))

    def approve_account(self, who: SignedIn, place: Place, change_id: uuid.UUID, now: datetime) -> None:
        del who, place, now
        self.done.append(("approve account", str(change_id)))

    def withdraw_account(self, who: SignedIn, place: Place, change_id: uuid.UUID, reason: str, now: datetime) -> None:
        del who, place, change_id, now
        self.done.append(("withdraw account", reason))
