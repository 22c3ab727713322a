"""The part of the sample desk that answers a family's page of the account for refunds."""

from __future__ import annotations

from datetime import UTC, datetime

from service.pages.family_account_views import FamilyAccountPage, FullAccount, ShownBack, TypedAccount
from service.pages.views import BillPage
from tests.service.pages.sample_guardians import CHOICES

FULL_ACCOUNT = FullAccount(
    "Nguyễn Thị Minh Ánh", "Vietcombank", "…3456", "NGUYEN VAN HOA", datetime(2025, 10, 4, 3, tzinfo=UTC),
    (("970436", "Vietcombank"),), datetime(2025, 10, 6, 1, 30, tzinfo=UTC),
)  # fmt: skip


class SampleFamilyAccount:
    """A frozen page; full once ``full_account`` is set."""

    full_account: FullAccount | None = None
    family: dict[bytes, BillPage]
    done: list[tuple[str, str]]

    def family_account(
        self, link_digest: bytes, token: str, session_digest: bytes | None, now: datetime
    ) -> FamilyAccountPage | None:
        del session_digest, now
        bill = self.family.get(link_digest)
        if bill is None:
            return None
        return FamilyAccountPage(
            token, bill.school, bill.child_name, CHOICES, unreachable=False, signed_in=False, full=self.full_account
        )

    def show_account_back(self, typed: TypedAccount) -> ShownBack:
        return ShownBack("Vietcombank", typed.bank, typed.number, typed.holder)

    def keep_account(
        self, link_digest: bytes, session_digest: bytes, typed: TypedAccount, now: datetime
    ) -> bool | None:
        del link_digest, session_digest, typed, now
        return True
