"""Families are asked to register: by message, each to its own page, not too often, and nothing of it tells poverty."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import Session

from billing.vault import Vault
from service.database import EVERYTHING, Database
from service.preparing import Addresses
from tests.conftest import TestServers
from tests.service.pages.telling import Telling, telling
from tests.service.pages.test_choice_pages import BOARDING, OFFERS
from tests.service.pages.test_claims import form, send
from tests.service.pages.test_nothing_tells_poverty import impoverish, of_letter, tells_nothing


@pytest.fixture
def household(
    database: Database, addresses: Addresses, vault: Vault, servers: TestServers, tmp_path: Path
) -> Iterator[Telling]:
    """October issued, everything reduced for poverty; nobody is registered for boarding any more."""
    with telling(database, addresses, vault, servers, tmp_path, impoverish) as told:
        told.world.change(_nobody_boards)
        told.tell()
        yield told


def _nobody_boards(session: Session) -> None:
    session.execute(text("UPDATE opt_ins SET withdrawn_at = now() FROM fee_items i WHERE i.id = item_id"
                         " AND i.code = 'BANTRU'"))  # fmt: skip


@pytest.mark.parametrize("language", ["vi", "en"])
def test_each_family_is_led_to_its_own_page_and_nothing_tells_poverty(household: Telling, language: str) -> None:
    world = household.world
    with world.collecting.database.transaction(EVERYTHING) as session:
        session.execute(text("UPDATE guardians SET language = :language"), {"language": language})
    accountant = world.signed_in(world.staff("accountant"))
    opening = f"{OFFERS}?khoan=BANTRU"
    words = re.search(r'name="loi"[^>]*>([^<]+)<', accountant.get(opening).text)
    assert words
    here = send(accountant, opening, OFFERS, khoan="BANTRU", tu="2025-11-01", han="2025-10-25", loi=words[1])
    phones, letters = len(household.zalo.delivered), len(household.letters())
    send(accountant, here, f"{here}/gui")
    assert household.tell() == len(world.billing.pupils)
    told = household.zalo.delivered[phones:]
    pages = {f"http://127.0.0.1:8000{world.link(number)}/dang-ky" for number in range(len(world.billing.pupils))}
    assert {got.button[1] for got in told} == pages
    for got in told:
        assert BOARDING[:20] in json.dumps(got.rows, ensure_ascii=False)
        tells_nothing(json.dumps(asdict(got), ensure_ascii=False), f"an invitation by Zalo in {language}")
    new = household.letters()[letters:]
    assert new, "the second guardian has e-mail only"
    for letter in new:
        said = of_letter(letter)
        assert "/dang-ky" in said
        tells_nothing(said, f"the letter {letter['Subject']}")
    assert f"{len(world.billing.pupils)} gia đình, đã nhận {len(world.billing.pupils)}" in " ".join(
        html.unescape(accountant.get(here).text).split()
    )


def test_who_answered_is_not_asked_again_and_nobody_is_asked_all_day_long(household: Telling) -> None:
    world, clock = household.world, household.world.clock
    accountant, auditor = (world.signed_in(world.staff(role)) for role in ("accountant", "auditor"))
    opening = f"{OFFERS}?khoan=BANTRU"
    words = re.search(r'name="loi"[^>]*>([^<]+)<', accountant.get(opening).text)
    assert words
    here = send(accountant, opening, OFFERS, khoan="BANTRU", tu="2025-11-01", han="2025-10-25", loi=words[1])
    user = world.staff("accountant")

    def asks() -> tuple[int, str]:
        """Send the form in a session of today; return status and words."""
        office = world.signed_in(user)
        answer = office.post(f"{here}/gui", data=form(office, here))
        return answer.status_code, html.unescape(answer.text)

    assert auditor.post(f"{here}/gui", data=form(auditor, here)).status_code == 403
    assert asks()[0] == 303
    status, said = asks()
    assert (status, "Hôm nay đã gửi tin" in said) == (409, True)
    household.tell()
    phones = len(household.zalo.delivered)
    child = world.billing.pupils[0]

    def registers(session: Session) -> None:
        session.execute(
            text("INSERT INTO opt_ins (school_id, enrolment_id, item_id, quantity, evidence, source, valid_from)"
                 " SELECT :school, :child, id, 1, 'Phiếu', 'office', '2025-11-01' FROM fee_items"
                 " WHERE school_id = :school AND code = 'BANTRU'"),
            {"school": world.billing.id, "child": child.enrolment.id},
        )  # fmt: skip

    world.change(registers)
    clock.now += timedelta(days=1)
    assert asks()[0] == 303
    household.tell()
    asked = household.zalo.delivered[phones:]
    assert len(asked) == len(world.billing.pupils) - 1
    assert world.link(0) not in json.dumps([got.button for got in asked])
    clock.now += timedelta(days=1)
    assert asks()[0] == 303
    send(world.signed_in(user), here, f"{here}/dong")
    phones = len(household.zalo.delivered)
    household.tell()
    assert len(household.zalo.delivered) == phones, "it was closed before the messages went out"
    clock.now += timedelta(days=1)
    assert asks()[0] == 409
