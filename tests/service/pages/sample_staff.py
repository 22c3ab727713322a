"""The part of the sample desk that answers the page of users."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime

from service.access.roles import Place, SignedIn
from service.pages.staff_views import MemberRow, RequestRow, RoleRow, ShownOnce, StaffPage, TypedReset, TypedRole

USER_ID, REQUEST_ID, GRANT_ID = uuid.UUID(int=95), uuid.UUID(int=96), 97
AT = datetime(2025, 10, 6, 2, 0, tzinfo=UTC)
SCHOOL_ID = str(uuid.UUID(int=1))
MEMBERS = (
    MemberRow(
        str(USER_ID), "Trần Thị Thu", "thu.tt", SCHOOL_ID,
        (
            RoleRow(GRANT_ID, "accountant", "Suối Ngàn", date(2025, 8, 1), None, "held", "Lê Văn An, Vũ Thị Bình"),
            RoleRow(98, "class_teacher", "Suối Ngàn", date(2024, 8, 1), date(2025, 5, 31), "over", ""),
        ),
        AT, 1, first_password=False, myself=False,
    ),
    MemberRow(str(uuid.UUID(int=99)), "Lê Văn An", "an.lv", SCHOOL_ID, (), None, 0, first_password=True, myself=True),
)  # fmt: skip
REQUESTS = (
    RequestRow(
        str(REQUEST_ID), "role", "cashier", "Suối Ngàn", "Phạm Thị Đào", "dao.pt", date(2025, 10, 10), None,
        "Quyết định 12/QĐ", "Trần Thị Thu", AT, mine=False,
    ),
    RequestRow(
        str(uuid.UUID(int=94)), "password", None, "Suối Ngàn", "Trần Thị Thu", "thu.tt", None, None, "Quên mật khẩu",
        "Lê Văn An", AT, mine=True,
    ),
)  # fmt: skip


class SampleStaff:
    """Frozen users; remembers what was done."""

    done: list[tuple[str, str]]

    def staff(self, who: SignedIn, place: Place, now: datetime) -> StaffPage:
        del who, place, now
        return StaffPage(MEMBERS, REQUESTS, ((SCHOOL_ID, "Suối Ngàn"),), date(2025, 10, 6))

    def ask_role(self, who: SignedIn, place: Place, typed: TypedRole, now: datetime) -> ShownOnce:
        del place, now
        self.done.append(("ask role", who.login))
        return ShownOnce(typed.full_name, typed.login, "first", "k7mp-3xqa-9rtb")

    def ask_password(self, who: SignedIn, place: Place, typed: TypedReset, now: datetime) -> ShownOnce:
        del place, typed, now
        self.done.append(("ask password", who.login))
        return ShownOnce("Trần Thị Thu", "thu.tt", "first", "k7mp-3xqa-9rtb")

    def grant_staff(self, who: SignedIn, place: Place, request_id: uuid.UUID, now: datetime) -> ShownOnce:
        del place, request_id, now
        self.done.append(("grant staff", who.login))
        return ShownOnce("Phạm Thị Đào", "dao.pt", "second", "wq4z-77ch-m2np")

    def refuse_staff(self, who: SignedIn, place: Place, request_id: uuid.UUID, reason: str, now: datetime) -> None:
        del place, request_id, reason, now
        self.done.append(("refuse staff", who.login))

    def end_role(self, who: SignedIn, place: Place, grant_id: int, last_day: str, now: datetime) -> None:
        del place, grant_id, last_day, now
        self.done.append(("end role", who.login))

    def sign_out_staff(self, who: SignedIn, place: Place, user_id: uuid.UUID, school: str, now: datetime) -> None:
        del place, user_id, school, now
        self.done.append(("sign out staff", who.login))
