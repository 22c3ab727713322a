from datetime import UTC, datetime, timedelta

import pytest

from service.access import sessions

NOW = datetime(2025, 10, 6, 1, 0, tzinfo=UTC)


def test_a_session_is_256_bits_and_only_its_digest_is_kept() -> None:
    made = {sessions.new_session().token for _ in range(200)}
    assert len(made) == 200
    one = sessions.new_session()
    assert len(one.token) == 43
    assert sessions.digest_of_cookie(one.token) == one.digest
    assert len(one.digest) == 32


@pytest.mark.parametrize("value", [None, "", "x", "a" * 42, "a" * 44, "a" * 42 + "=", "a" * 42 + "\n", "é" * 43])
def test_what_cannot_be_ours_is_not_looked_up(value: str | None) -> None:
    assert sessions.digest_of_cookie(value) is None


@pytest.mark.parametrize(
    ("started_ago", "used_ago", "alive"),
    [
        (timedelta(0), timedelta(0), True),
        (timedelta(hours=2), timedelta(minutes=14, seconds=59), True),
        (timedelta(hours=2), timedelta(minutes=15), False),
        (timedelta(hours=7, minutes=59), timedelta(0), True),
        (timedelta(hours=8), timedelta(0), False),
        (timedelta(hours=-2), timedelta(0), False),
    ],
)
def test_idle_15_minutes_and_absolute_8_hours(started_ago: timedelta, used_ago: timedelta, *, alive: bool) -> None:
    assert sessions.is_alive(NOW - started_ago, NOW - used_ago, NOW) is alive


def test_the_cookie_of_production_is_host_only_and_secure() -> None:
    line = sessions.session_cookie(production=True).header("abc")
    assert line == "__Host-hocphi=abc; Path=/; HttpOnly; SameSite=Lax; Secure"


def test_the_cookie_on_localhost_is_plain_but_hidden_from_scripts() -> None:
    line = sessions.session_cookie(production=False).header("abc")
    assert line == "hocphi=abc; Path=/; HttpOnly; SameSite=Lax"


def test_taking_the_cookie_away() -> None:
    assert sessions.session_cookie(production=True).removal().endswith("Max-Age=0")
