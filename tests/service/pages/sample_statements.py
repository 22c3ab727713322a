"""The part of the sample desk that answers the pages of bank statements."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime

from billing.errors import RowProblem
from billing.money import Money
from service.access.roles import Place, SignedIn
from service.pages.statement_views import (
    BroughtFile,
    ColumnToExplain,
    ShownLine,
    StatementAccount,
    StatementFileRow,
    StatementPreview,
    StatementsPage,
    StatementToExplain,
    TypedHow,
)

PREVIEW_ID, EXPLAIN_ID = uuid.UUID(int=970), uuid.UUID(int=971)
FIRST, LAST = date(2025, 9, 1), date(2025, 9, 30)
AT = datetime(2025, 10, 1, 2, 0, tzinfo=UTC)
NAME = "sao-ke-thang-9-tai-khoan-thu-hoc-phi.xlsx"
PAGE = StatementsPage(
    (
        StatementAccount(
            str(uuid.UUID(int=972)), "Agribank …1010", by_statement=True, last_day=LAST, difference=Money(0)
        ),
        StatementAccount(
            str(uuid.UUID(int=973)), "MB …6789", by_statement=False, last_day=LAST, difference=Money(-650_000)
        ),
        StatementAccount(str(uuid.UUID(int=974)), "BIDV …0001", by_statement=True, last_day=None, difference=None),
    ),
    (
        StatementFileRow(
            "Agribank …1010",
            FIRST,
            LAST,
            Money(0),
            Money(512_340_000),
            Money(11_000),
            Money(512_329_000),
            AT,
            "Trần Thị Thu",
        ),
    ),
)
PREVIEW = StatementPreview(
    upload_id=str(PREVIEW_ID),
    name=NAME,
    account="Agribank …1010",
    bank="agribank",
    period=(FIRST, LAST),
    lines=412,
    new=400,
    known=12,
    opening=Money(0),
    closing=Money(512_329_000),
    money_in=Money(512_340_000),
    money_out=Money(11_000),
    balanced=True,
    explained=True,
    digest="b7c1",
    no_account=True,
    other_bank=True,
    shown=(
        ShownLine(FIRST, Money(650_000), "FW23ABCDEFG nguyen thi minh anh hoc phi thang 9 lop 1A chuyen tu ung dung"),
        ShownLine(LAST, Money(-11_000), "Phi quan ly tai khoan"),
    ),
)
EXPLAIN = StatementToExplain(
    upload_id=str(EXPLAIN_ID),
    name=NAME,
    account="BIDV …0001",
    heading=4,
    headings=(
        (1, "Ngân hàng Ví dụ"),
        (4, "Thời điểm · Thay đổi · Ghi chú của khách hàng và của ngân hàng"),
        (5, "01/09/2025"),
    ),
    columns=(
        ColumnToExplain("A", "Thời điểm", ("01/09/2025", "02/09/2025"), "day"),
        ColumnToExplain("B", "Thay đổi", ("+650.000", "-11.000"), "amount"),
        ColumnToExplain("C", "", (), ""),
        ColumnToExplain("D", "Ghi chú", ("FW23ABCDEFG hoc phi",), "memo"),
    ),
    problem="1 ô không đọc được; đầu tiên: dòng 5, cột Số tiền",
    problems=(RowProblem(5, "Số tiền", "trang “Sao ke”, ô B5 “+65O.000”: không đọc được số tiền", "Sửa"),),
)


class SampleStatements:
    """Frozen statements; remembers what was done."""

    done: list[tuple[str, str]]

    def statements(self, who: SignedIn, place: Place, now: datetime) -> StatementsPage:
        del who, place, now
        return PAGE

    def bring_statement(self, who: SignedIn, place: Place, brought: BroughtFile, now: datetime) -> uuid.UUID:
        del place, now
        self.done.append((f"bring statement {len(brought.data)}", who.login))
        return PREVIEW_ID

    def brought_statement(
        self, who: SignedIn, place: Place, upload_id: uuid.UUID, typed: TypedHow, now: datetime
    ) -> StatementPreview | StatementToExplain:
        del who, place, typed, now
        return EXPLAIN if upload_id == EXPLAIN_ID else PREVIEW

    def confirm_statement(  # noqa: PLR0913, PLR0917  as the desk asks
        self, who: SignedIn, place: Place, upload_id: uuid.UUID, typed: TypedHow, seen: str, now: datetime
    ) -> tuple[int, int]:
        del place, upload_id, typed, now
        self.done.append((f"confirm statement {seen}", who.login))
        return (400, 12)
