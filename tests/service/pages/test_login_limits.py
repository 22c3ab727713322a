"""Wrong passwords lock out the address that types them and nobody else; many from everywhere only slow a login down."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from starlette.testclient import TestClient

from service.access import passwords
from service.access.limits import LOGIN_SLOWED
from service.pages import login
from service.web import assemble
from tests.service.pages.sample_desk import SampleDesk, sample_parts

RIGHT = "mèo con ngủ trên mái nhà"
Try = Callable[..., int]


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long each delayed try would have waited."""
    seconds: list[float] = []

    async def wait(delay: float) -> None:
        seconds.append(delay)

    monkeypatch.setattr(login, "_wait", wait)
    return seconds


@pytest.fixture
def from_address(desk: SampleDesk) -> Callable[[str], Try]:
    """Return how a password is tried from an address; all addresses reach one server."""
    app = assemble(sample_parts(desk))

    def at(address: str) -> Try:
        client = TestClient(app, headers={"accept": "text/html"}, follow_redirects=False, client=(address, 50_000))
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', client.get("/dang-nhap").text)
        assert found
        token = found[1]

        def attempt(password: str, who: str = "accountant") -> int:
            return client.post("/dang-nhap", data={"csrf": token, "login": who, "password": password}).status_code

        return attempt

    return at


def test_whoever_types_wrong_passwords_locks_out_nobody_but_himself(from_address: Callable[[str], Try]) -> None:
    stranger, owner = from_address("203.0.113.9"), from_address("198.51.100.7")
    assert [stranger("sai") for _ in range(6)] == [401] * 5 + [429]
    assert stranger(RIGHT) == 429
    assert owner(RIGHT) == 303
    assert stranger(RIGHT) == 429, "the owner's success gives the stranger no new tries"


def test_wrong_passwords_from_everywhere_slow_the_login_and_lock_it_never(
    from_address: Callable[[str], Try], waited: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "check_password", _quick_check)
    for number in range(210):
        assert from_address(f"203.0.113.{number % 250}")("sai") == 401
    steps = [seconds for _, seconds in LOGIN_SLOWED]
    assert waited == sorted(waited)
    assert set(waited) == set(steps)
    assert len(waited) == 210 - LOGIN_SLOWED[0][0].tries
    before = len(waited)
    assert from_address("198.51.100.7")(RIGHT) == 303
    assert waited[before:] == [steps[-1]]


def test_another_login_is_not_slowed(
    from_address: Callable[[str], Try], waited: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "check_password", _quick_check)
    for number in range(30):
        from_address(f"203.0.113.{number}")("sai")
    waited.clear()
    assert from_address("203.0.113.1")(RIGHT, "approver") == 303
    assert waited == []


def test_a_delayed_login_is_folded_like_the_login_itself(
    from_address: Callable[[str], Try], waited: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "check_password", _quick_check)
    for number in range(LOGIN_SLOWED[0][0].tries):
        from_address(f"203.0.113.{number}")("sai", "ACCOUNTANT ")
    assert waited == []
    assert from_address("198.51.100.7")("sai", "accountant") == 401
    assert waited == [LOGIN_SLOWED[0][1]]


def _quick_check(_: str | None, password: str) -> passwords.Verdict:
    """Stand for the slow hash in tests that try hundreds of passwords."""
    return passwords.Verdict(ok=password == RIGHT, new_hash=None)
