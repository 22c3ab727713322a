"""Running stand-ins for the tests of channels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from notifications.channels.mail import MailChannel, MailServer, Sender, connector
from notifications.channels.zalo import TokenStore, ZaloApp, ZaloChannel
from service.standins import mailbox as mailbox_program
from service.standins import zalo as zalo_program
from service.standins.mailbox import Mailbox
from service.standins.serving import Running
from service.standins.zalo import APP_ID, APP_SECRET, Zalo, ZaloRules
from tests.notifications.channels.tokens import TokensInMemory

SENDER = Sender("Trường Tiểu học Đồng Tâm", "thu-phi@truong.example", "van-phong@truong.example")


@pytest.fixture
def zalo_running(tmp_path: Path) -> Iterator[tuple[Zalo, Running]]:
    zalo, running = zalo_program.start(tmp_path / "zalo", rules=ZaloRules(daily_quota=3))
    yield zalo, running
    running.stop()


@pytest.fixture
def zalo(zalo_running: tuple[Zalo, Running]) -> Zalo:
    return zalo_running[0]


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=0.7) as one:
        yield one


@pytest.fixture
def tokens() -> TokensInMemory:
    return TokensInMemory()


@pytest.fixture
def make_zalo(
    zalo_running: tuple[Zalo, Running], client: httpx.Client, tokens: TokensInMemory
) -> Callable[..., ZaloChannel]:
    def make(secret: str = APP_SECRET, store: TokenStore = tokens) -> ZaloChannel:
        url = zalo_running[1].url
        return ZaloChannel(client, ZaloApp(APP_ID, secret, message_base=url, oauth_base=url), store)

    return make


@pytest.fixture
def mail_running(tmp_path: Path) -> Iterator[tuple[Mailbox, int, Running]]:
    mailbox, port, running = mailbox_program.start(tmp_path / "mail")
    yield mailbox, port, running
    running.stop()


@pytest.fixture
def mailbox(mail_running: tuple[Mailbox, int, Running]) -> Mailbox:
    return mail_running[0]


@pytest.fixture
def mail(mail_running: tuple[Mailbox, int, Running]) -> Iterator[MailChannel]:
    channel = MailChannel(connector(MailServer("127.0.0.1", mail_running[1], "none", timeout=0.7)), SENDER)
    yield channel
    channel.close()
