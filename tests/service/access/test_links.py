import uuid
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.vault import Vault
from service.access import links
from service.database import Database
from service.preparing import Addresses
from tests.conftest import TestServers
from tests.service.pages.worlds import make_world

KEY = bytes(range(32))


@given(st.uuids(), st.integers(1, 2**31))
def test_a_token_is_128_bits_and_the_same_each_time(request_id: uuid.UUID, version: int) -> None:
    token = links.make_token(KEY, request_id, version)
    assert len(token) == 22
    assert links.looks_like_token(token)
    assert token == links.make_token(KEY, request_id, version)
    assert len(links.digest(token)) == 32


def test_another_version_request_or_key_is_another_link() -> None:
    one, two = uuid.UUID(int=1), uuid.UUID(int=2)
    made = {
        links.make_token(KEY, one, 1),
        links.make_token(KEY, one, 2),
        links.make_token(KEY, two, 1),
        links.make_token(KEY[::-1], one, 1),
    }
    assert len(made) == 4


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        links.make_token(KEY[:31], uuid.UUID(int=1), 1)


@pytest.mark.parametrize("text", ["", "a" * 21, "a" * 23, "a" * 21 + "/", "a" * 21 + "\n", "ａ" * 22])
def test_other_texts_are_no_tokens(text: str) -> None:
    assert not links.looks_like_token(text)


def test_how_long_a_link_lives() -> None:
    due = date(2025, 10, 15)
    assert links.last_day(due, None) == date(2025, 12, 14)
    assert links.last_day(due, date(2025, 10, 10)) == date(2025, 12, 14)
    assert links.last_day(due, date(2025, 12, 14)) == date(2026, 1, 13)


def test_who_is_told_of_an_old_bill_can_open_its_page_again(
    database: Database, addresses: Addresses, vault: Vault, servers: TestServers
) -> None:
    world = make_world(database, addresses, vault, servers)
    path = world.link()
    assert world.client().get(path).status_code == 200
    world.clock.now += timedelta(days=90)
    assert world.client().get(path).status_code == 404, "the link has ended"
    assert world.link() == path, "the school tells the family once more"
    assert world.client().get(path).status_code == 200
    world.clock.now += timedelta(days=61)
    assert world.client().get(path).status_code == 404
