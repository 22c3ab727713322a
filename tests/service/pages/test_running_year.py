"""The classes of the next school year are made months ahead; until it begins the office works in this one."""

from __future__ import annotations

import html
from datetime import date

import pytest

from billing.people.tables import ClassGroup
from billing.vault import Vault
from service.database import EVERYTHING, Database
from service.pages.item_rows import running_year
from service.preparing import Addresses
from tests.conftest import TestServers
from tests.factories.schools import make_school
from tests.service.pages.fresh import Fresh, fresh_school
from tests.service.pages.test_fee_pages import furnished, post
from tests.standing import standing


@pytest.fixture
@standing
def fresh(database: Database, addresses: Addresses, vault: Vault, servers: TestServers) -> Fresh:
    return fresh_school(database, addresses, vault, servers)


def test_next_years_classes_take_no_child_out_of_sight(fresh: Fresh) -> None:
    client = furnished(fresh)
    status, text = post(client, "/van-phong/nam-hoc-moi/lop", nam="2026-2027", ma="1C", khoi="1", cap="primary")
    assert (status, "1C" in text) == (200, True), text

    def reads(path: str) -> str:
        return html.unescape(client.get(path).text)

    registered = reads("/van-phong/dang-ky")
    assert ("1A" in registered, "1C" in registered) == (True, False)
    assert reads("/van-phong/mien-giam/moi?q=bao").count("?truong=") > reads("/van-phong/mien-giam/moi").count(
        "?truong="
    )
    assert "năm học 2025-2026" in reads("/van-phong/dot-thu/moi")
    assert "<strong>12</strong>" in reads("/van-phong"), "the roster's step of the overview"
    assert "1C" not in reads("/van-phong/diem-danh")


@pytest.mark.parametrize(
    ("years", "day", "expected"),
    [
        ((), date(2025, 10, 6), ""),
        (("2025-2026",), date(2025, 10, 6), "2025-2026"),
        (("2025-2026", "2026-2027"), date(2026, 7, 31), "2025-2026"),
        (("2025-2026", "2026-2027"), date(2026, 8, 1), "2026-2027"),
        (("2024-2025", "2025-2026"), date(2027, 1, 1), "2025-2026"),
        (("2026-2027", "2027-2028"), date(2026, 5, 1), "2026-2027"),
    ],
)
def test_the_year_of_a_day(database: Database, years: tuple[str, ...], day: date, expected: str) -> None:
    with database.transaction(EVERYTHING) as session:
        school = make_school(session)
        for year in years:
            session.add(
                ClassGroup(school_id=school.id, school_year=year, level="primary", grade=1, code="1A", name="1A")
            )
        session.flush()
        assert running_year(session, school.id, day) == expected
