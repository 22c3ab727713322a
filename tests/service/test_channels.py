"""Settings become channels, and Zalo's tokens are kept in the database."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest
from pydantic import SecretStr
from sqlmodel import select

from billing.vault import Vault
from notifications.channels.zalo import Tokens
from notifications.errors import TemporaryFailure
from notifications.rules import Via
from notifications.tables import ProviderToken
from service.channels import StoredTokens, available_channels, mail_sender, mail_server
from service.database import NOTHING, Database
from service.settings import Settings


class Exchange:
    """Zalo's exchange: each refresh token works once."""

    def __init__(self, good: str) -> None:
        self.good = good
        self.asked: list[str] = []

    def __call__(self, refresh: str) -> Tokens:
        self.asked.append(refresh)
        if refresh != self.good:
            raise TemporaryFailure("Không đổi được.", channel="zalo", code="token -14014")
        number = len(self.asked)
        self.good = f"refresh-{number}"
        return Tokens(f"access-{number}", self.good, 90_000)


@pytest.fixture
def tokens(database: Database, vault: Vault, now: datetime) -> StoredTokens:
    return StoredTokens(database, vault, lambda: now, "first")


def test_the_first_pair_comes_from_the_settings(tokens: StoredTokens, database: Database, now: datetime) -> None:
    exchange = Exchange("first")
    unusable = tokens.current().access
    assert tokens.renew(unusable, exchange) == Tokens("access-1", "refresh-1", 90_000)
    assert (tokens.current().access, tokens.current().refresh) == ("access-1", "refresh-1")
    with database.transaction(NOTHING) as session:
        row = session.exec(select(ProviderToken)).one()
    assert row.expires_at == now + timedelta(hours=25)
    assert b"access-1" not in row.access_sealed
    assert b"refresh-1" not in row.refresh_sealed


def test_workers_side_by_side_spend_a_refresh_token_once(tokens: StoredTokens) -> None:
    exchange, together = Exchange("first"), threading.Barrier(4)
    refused, got = tokens.current().access, list[str]()

    def run() -> None:
        together.wait()
        got.append(tokens.renew(refused, exchange).access)

    workers = [threading.Thread(target=run) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert got == ["access-1"] * 4
    assert exchange.asked == ["first"]


def test_a_pair_is_kept_until_it_is_refused(tokens: StoredTokens, database: Database, vault: Vault) -> None:
    other = StoredTokens(database, vault, tokens._clock, "first")
    exchange = Exchange("first")
    tokens.renew(tokens.current().access, exchange)
    assert other.current().access == "access-1"
    tokens.renew("access-1", exchange)
    assert tokens.current().access == "access-2"
    assert other.current().access == "access-1"
    assert other.renew("access-1", exchange).access == "access-2"
    assert other.current().access == "access-2"
    assert exchange.asked == ["first", "refresh-1"]


def test_a_refused_exchange_keeps_the_old_pair(tokens: StoredTokens) -> None:
    exchange = Exchange("first")
    tokens.renew(tokens.current().access, exchange)
    exchange.good = "something else"
    with pytest.raises(TemporaryFailure):
        tokens.renew("access-1", exchange)
    assert tokens.current().refresh == "refresh-1"


def test_a_permission_given_anew_takes_the_place_of_a_dead_pair(
    tokens: StoredTokens, database: Database, vault: Vault, now: datetime
) -> None:
    tokens.renew(tokens.current().access, Exchange("first"))
    exchange = Exchange("second")
    again = StoredTokens(database, vault, lambda: now, "second")
    assert again.renew("access-1", exchange).access == "access-2"
    assert exchange.asked == ["refresh-1", "second"]


@pytest.mark.parametrize(
    ("url", "security", "port"),
    [
        ("smtp://127.0.0.1:8825", "none", 8825),
        ("smtp://mail.truong.example", "starttls", 587),
        ("smtps://mail.truong.example", "tls", 465),
        ("smtp+plain://mailbox:8825", "none", 8825),
    ],
)
def test_where_letters_are_handed_in(url: str, security: str, port: int) -> None:
    server = mail_server(url)
    assert (server.security, server.port) == (security, port)


def test_a_password_may_hold_any_sign() -> None:
    server = mail_server("smtps://thu%40truong.example:a%2Fb%3A@mail.truong.example")
    assert (server.user, server.password) == ("thu@truong.example", "a/b:")


@pytest.mark.parametrize("url", ["http://mail.truong.example", "mail.truong.example:25", "smtp://"])
def test_what_is_no_mail_server(url: str) -> None:
    with pytest.raises(ValueError, match="SMTP_URL"):
        mail_server(url)


def test_the_sender_needs_an_address() -> None:
    assert mail_sender(Settings.model_construct(mail_sender="Hocphi <a@b.vn>")).address == "a@b.vn"
    with pytest.raises(ValueError, match="MAIL_SENDER"):
        mail_sender(Settings.model_construct(mail_sender="Hocphi"))


def test_only_what_is_set_up_is_there() -> None:
    assert available_channels(Settings.model_construct()) == frozenset()
    assert available_channels(Settings.model_construct(smtp_url="smtp://127.0.0.1")) == {Via.MAIL}
    sms = {"esms_api_key": SecretStr("k"), "esms_secret_key": SecretStr("s"), "esms_brandname": "HOCPHI"}
    assert available_channels(Settings.model_construct(**sms)) == {Via.SMS}  # type: ignore[arg-type]  # mixed fields
    assert available_channels(Settings.model_construct(**(sms | {"esms_brandname": ""}))) == frozenset()  # type: ignore[arg-type]  # as above
    zalo = {"zalo_app_id": "1", "zalo_app_secret": SecretStr("s"), "zalo_template_notice": "5"}
    assert available_channels(Settings.model_construct(**zalo)) == {Via.ZALO}  # type: ignore[arg-type]  # mixed fields
    assert available_channels(Settings.model_construct(**(zalo | {"zalo_app_id": None}))) == frozenset()  # type: ignore[arg-type]  # as above
