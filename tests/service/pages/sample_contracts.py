"""The part of the sample desk that answers the pages of contracts."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from billing.contracts.terms import (
    DepositTerms,
    Keep,
    LateTerms,
    PlanTerms,
    Step,
    Terms,
    WithdrawalTerms,
)
from billing.contracts.wording import describe
from billing.money import ZERO, Money
from notifications.rules import Invitation
from service.access.roles import Place, SignedIn
from service.pages.contract_views import (
    AgreedFacts,
    ContractPage,
    ContractRow,
    ContractsPage,
    DepositFacts,
    EndShown,
    IncomePage,
    IncomeRow,
    LatePage,
    LateRow,
    LinkFacts,
    NewVersionPage,
    StepRow,
    TypedContract,
    TypedEnd,
    TypedTerm,
    TypedVersion,
    VersionPage,
    VersionRow,
    WithdrawnRow,
)
from service.pages.plan_views import TypedFile
from service.pages.views import Download
from tests.service.pages.sample_credits import REFUND_ID
from tests.service.pages.sample_moving import HIT, LEAVING_ID
from tests.service.pages.sample_rounds import CORRECTION_ID
from tests.service.pages.samples import NOW

CONTRACT_ID = uuid.UUID(int=92)
VERSION_ID = uuid.UUID(int=93)
PAPER_ID = uuid.UUID(int=94)
STARTS = date(2025, 9, 1)
TERMS = Terms(
    DepositTerms(Money(2_000_000), (Keep(60, 0), Keep(30, 50))),
    (PlanTerms("year", "HOCPHI-NAM", 10, "HOCPHI"), PlanTerms("month", "HOCPHI")),
    WithdrawalTerms(100, less_deposit=True, steps=(Step(2, 70), Step(5, 50))),
    LateTerms(10, Money(500_000), 2),
)
VERSION = VersionRow(str(VERSION_ID), "HD-2025", "Hợp đồng dịch vụ giáo dục", date(2025, 6, 1), approved=True)
DRAFT = VersionRow(str(VERSION_ID), "HD-2026", "Hợp đồng dịch vụ giáo dục", date(2026, 6, 1), approved=False)
ROW = ContractRow(str(CONTRACT_ID), "HD2526-00001", "Trần Thị Bảo An", "2025-2026", "year", STARTS, "enrolled")
DEPOSIT = DepositFacts(
    "TB2506-000001", date(2025, 6, 30), Money(2_000_000), Money(2_000_000), ZERO, "FW2345678AB", "1012000001 · TRUONG",
    "", f"/van-phong/dot-thu/{uuid.UUID(int=1)}/hoc-sinh/{uuid.UUID(int=2)}",
)  # fmt: skip
STEPS = (
    StepRow("agreed", date(2025, 6, 10), "Trần Thị Thu", NOW, "", "paper", str(PAPER_ID), ()),
    StepRow("enrolled", STARTS, "Trần Thị Thu", NOW, "", "", "", (("deposit", Money(2_000_000)),)),
)
LINE = WithdrawnRow(
    "Học phí đóng cả năm", "TB2509-000002", Money(20_250_000), Money(4_500_000), Money(11_025_000), Money(4_725_000)
)
SHOWN = EndShown(
    date(2025, 10, 15), never=False, kept=LINE.kept, back=LINE.back, percent=70, lines=(LINE,),
    others=Money(540_000), gives_back=Money(11_565_000),
)  # fmt: skip
INCOME = IncomePage(
    date(2025, 10, 1),
    (
        IncomeRow(
            "TB2509-000002", ROW.child, "Học phí đóng cả năm", STARTS, 9, Money(20_250_000), Money(2_250_000),
            Money(2_250_000), Money(15_750_000),
        ),
    ),
    Money(2_250_000),
    Money(15_750_000),
)  # fmt: skip
LATE = LatePage(
    (
        LateRow(
            str(CORRECTION_ID), "TB2509-000002", ROW.child, ROW.number, date(2025, 9, 20), 17, Money(18_250_000), ZERO,
            Money(365_000),
        ),
    ),
    date(2025, 11, 1),
)  # fmt: skip


AGREED = AgreedFacts(
    "Trần Văn Cha", "09•• ••• 678", NOW, "HD-2025", ("Hợp đồng dịch vụ giáo dục – HD2526-00001",), "ab" * 32
)
LINK = LinkFacts("https://hoc-phi.example/hd/" + "A" * 22, date(2025, 6, 20), date(2025, 6, 30), open=True)
DRAFT_PAGE = ContractPage(
    row=replace(ROW, state="draft"), months=9, version=VERSION, body="Điều 1. Hai bên", terms=tuple(describe(TERMS)),
    guardian="Trần Văn Cha, 09•• ••• 678", deposit=None, steps=(), classes=(), today=date(2025, 6, 10), link=LINK,
    asked=(Invitation(NOW, 1, 1, 0, 0), Invitation(NOW, 1, 0, 0, 1)),
)  # fmt: skip


class SampleContracts:
    """Frozen contracts; remembers what was done."""

    done: list[tuple[str, str]]

    def _did_contract(self, what: str, who: SignedIn) -> None:
        self.done.append((what, who.login))

    def contracts(self, who: SignedIn, place: Place, words: str, now: datetime) -> ContractsPage:
        del who, place, now
        relations = (("mother", "mẹ"), ("father", "cha"))
        return ContractsPage(
            True, words, (HIT,), (ROW,), (VERSION, DRAFT), (VERSION,), ("Nam", "Nữ"), relations, STARTS  # noqa: FBT003  private
        )  # fmt: skip

    def draft_contract(self, who: SignedIn, place: Place, typed: TypedContract, now: datetime) -> uuid.UUID:
        del place, typed, now
        self._did_contract("draft contract", who)
        return CONTRACT_ID

    def new_contract_version(self, who: SignedIn, place: Place, now: datetime) -> NewVersionPage:
        del who, place, now
        items = (("HOCPHI", "Học phí"), ("HOCPHI-NAM", "Học phí đóng cả năm"))
        return NewVersionPage(items, items[1:], STARTS)

    def draft_contract_version(self, who: SignedIn, place: Place, typed: TypedVersion, now: datetime) -> uuid.UUID:
        del place, typed, now
        self._did_contract("draft version", who)
        return VERSION_ID

    def open_contract_term(self, who: SignedIn, place: Place, typed: TypedTerm, now: datetime) -> None:
        del place, typed, now
        self._did_contract("open term", who)

    def contract_version(self, who: SignedIn, place: Place, version_id: uuid.UUID, now: datetime) -> VersionPage:
        del who, place, version_id, now
        return VersionPage(DRAFT, "Điều 1. Hai bên\nĐiều 2. Học phí", tuple(describe(TERMS)), False, "Trần Thị Thu")  # noqa: FBT003  own

    def approve_contract_version(self, who: SignedIn, place: Place, version_id: uuid.UUID, now: datetime) -> None:
        del place, version_id, now
        self._did_contract("approve version", who)

    def contract(
        self, who: SignedIn, place: Place, contract_id: uuid.UUID, typed: TypedEnd | None, now: datetime
    ) -> ContractPage:
        del who, place, contract_id, now
        return ContractPage(
            row=ROW, months=9, version=VERSION, body="Điều 1. Hai bên", terms=tuple(describe(TERMS)),
            guardian="Trần Văn Cha, 09•• ••• 678", deposit=DEPOSIT, steps=STEPS, classes=(("1", "1A"),),
            today=date(2025, 10, 20), shown=None if typed is None else SHOWN, agreed=AGREED,
        )  # fmt: skip

    def agree_to_contract(  # noqa: PLR0913, PLR0917  as the desk
        self, who: SignedIn, place: Place, contract_id: uuid.UUID, day: str, due: str, file: TypedFile, now: datetime
    ) -> None:
        del place, contract_id, day, due, file, now
        self._did_contract("agree", who)

    def open_contract_link(  # noqa: PLR0913, PLR0917  as the desk
        self, who: SignedIn, place: Place, contract_id: uuid.UUID, until: str, due: str, now: datetime
    ) -> None:
        del place, contract_id, until, due, now
        self._did_contract("open link", who)

    def send_contract_link(self, who: SignedIn, place: Place, contract_id: uuid.UUID, now: datetime) -> None:
        del place, contract_id, now
        self._did_contract("send link", who)

    def admit_by_contract(
        self, who: SignedIn, place: Place, contract_id: uuid.UUID, class_id: str, now: datetime
    ) -> None:
        del place, contract_id, class_id, now
        self._did_contract("admit", who)

    def decline_contract(
        self, who: SignedIn, place: Place, contract_id: uuid.UUID, typed: TypedEnd, now: datetime
    ) -> None:
        del place, contract_id, typed, now
        self._did_contract("decline", who)

    def refund_contract_deposit(self, who: SignedIn, place: Place, contract_id: uuid.UUID, now: datetime) -> uuid.UUID:
        del place, contract_id, now
        self._did_contract("refund deposit", who)
        return REFUND_ID

    def withdraw_from_contract(  # noqa: PLR0913, PLR0917  as the desk
        self,
        who: SignedIn,
        place: Place,
        contract_id: uuid.UUID,
        typed: TypedEnd,
        file: TypedFile | None,
        now: datetime,
    ) -> uuid.UUID:
        del place, contract_id, typed, file, now
        self._did_contract("withdraw", who)
        return LEAVING_ID

    def ask_contract_back_again(self, who: SignedIn, place: Place, contract_id: uuid.UUID, now: datetime) -> None:
        del place, contract_id, now
        self._did_contract("ask again", who)

    def contract_paper(
        self, who: SignedIn, place: Place, contract_id: uuid.UUID, paper_id: uuid.UUID, now: datetime
    ) -> Download:
        del who, place, contract_id, paper_id, now
        return Download(b"%PDF-1.4", "application/pdf", "hop-dong.pdf")

    def prepaid_income(self, who: SignedIn, place: Place, month: str, now: datetime) -> IncomePage:
        del who, place, month, now
        return INCOME

    def release_income(self, who: SignedIn, place: Place, month: str, now: datetime) -> None:
        del place, month, now
        self._did_contract("release", who)

    def late_charges(self, who: SignedIn, place: Place, now: datetime) -> LatePage:
        del who, place, now
        return LATE

    def add_late_charges(self, who: SignedIn, place: Place, bills: Sequence[str], month: str, now: datetime) -> None:
        del place, bills, month, now
        self._did_contract("charge late", who)
