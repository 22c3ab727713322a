"""The jobs of notices from an event to a phone and a mailbox, over real sockets."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from billing.vault import Vault
from notifications import planning
from notifications.channels.zalo import ZaloChannel
from notifications.rules import Kind, Via
from notifications.sending import LEASE
from service.access import links
from service.channels import open_channels
from service.database import Database, libpq_url
from service.jobs import notifying
from service.preparing import Addresses
from service.settings import Settings
from service.standins import mailbox as mailbox_program
from service.standins import zalo as zalo_program
from service.standins.mailbox import Mailbox
from service.standins.zalo import Zalo
from service.wiring import Wiring
from tests.notifications.world import World, make_world

ROOT = Path(__file__).parents[3]
KEY = bytes(range(32)).hex()


@dataclass
class Town:
    """A school with its programs, and what families have got."""

    world: World
    wiring: Wiring
    zalo: Zalo
    mailbox: Mailbox
    rung: list[str]

    @property
    def got(self) -> tuple[int, int]:
        return len(self.zalo.delivered), len(self.mailbox.kept)


@pytest.fixture
def town(database: Database, addresses: Addresses, vault: Vault, now: datetime, tmp_path: Path) -> Iterator[Town]:
    zalo, phones = zalo_program.start(tmp_path / "zalo")
    mailbox, smtp_port, letters = mailbox_program.start(tmp_path / "mail")
    settings = Settings.model_construct(
        secret=SecretStr(KEY),
        vault_key=SecretStr(KEY),
        base_url="http://127.0.0.1:8000",
        smtp_url=f"smtp://127.0.0.1:{smtp_port}",
        mail_sender="Hocphi <thu-phi@hocphi.example>",
        zalo_base_url=phones.url,
        zalo_oauth_url=phones.url,
        zalo_app_id=zalo_program.APP_ID,
        zalo_app_secret=SecretStr(zalo_program.APP_SECRET),
        zalo_refresh_token=SecretStr(zalo_program.FIRST_REFRESH),
        zalo_template_notice=zalo_program.TEMPLATE_IDS[Kind.BILL_ISSUED, "vi"],
        zalo_template_replaced=zalo_program.TEMPLATE_IDS[Kind.BILL_REPLACED, "vi"],
        zalo_template_voided=zalo_program.TEMPLATE_IDS[Kind.BILL_VOIDED, "vi"],
        zalo_template_credited=zalo_program.TEMPLATE_IDS[Kind.BILL_CREDITED, "vi"],
        zalo_template_used=zalo_program.TEMPLATE_IDS[Kind.CREDIT_USED, "vi"],
        zalo_template_reminded=zalo_program.TEMPLATE_IDS[Kind.BILL_REMINDED, "vi"],
        zalo_template_receipt=zalo_program.TEMPLATE_IDS[Kind.PAYMENT_RECEIVED, "vi"],
    )
    rung: list[str] = []
    wiring = Wiring(settings, addresses, "", database, vault, lambda: now, rung.append)
    yield Town(make_world(database, vault, now), wiring, zalo, mailbox, rung)
    letters.stop()
    phones.stop()


def test_a_bill_and_its_payment_reach_the_family(town: Town) -> None:
    town.world.guardian()
    request_id = town.world.bill()
    assert notifying.plan(town.wiring) == 1
    assert town.rung == ["notifications.send"]
    assert notifying.send(town.wiring) == 1
    assert town.got == (1, 0)
    town.world.pay(request_id, 616_000)
    notifying.plan(town.wiring)
    assert notifying.send(town.wiring) == 2
    assert town.got == (2, 1)
    notice, receipt = town.zalo.delivered
    assert notice.button[1] == receipt.button[1]
    assert notice.button[1].startswith("http://127.0.0.1:8000/t/")
    letter = town.mailbox.letter(1)
    assert letter is not None
    [pdf] = letter.iter_attachments()
    assert pdf.get_content().startswith(b"%PDF-")
    assert letter["From"].addresses[0].display_name == town.world.school.name
    assert notifying.plan(town.wiring) == 0
    assert notifying.send(town.wiring) == 0


def test_no_zalo_account_is_told_by_mail_in_the_same_run(town: Town) -> None:
    town.world.guardian(phone="84912345000")
    town.world.bill()
    notifying.plan(town.wiring)
    assert notifying.send(town.wiring) == 2
    assert town.got == (0, 1)
    assert town.world.states() == [("zalo", "failed"), ("email", "accepted")]


def test_a_mail_server_that_is_down_is_tried_again_when_it_is_back(town: Town) -> None:
    town.world.guardian(phone="84912345000")
    town.world.bill()
    notifying.plan(town.wiring)
    town.mailbox.trouble.order("busy", 1)
    notifying.send(town.wiring)
    assert town.got == (0, 0)
    later = town.wiring.clock() + timedelta(seconds=2)
    notifying.send(_at(town.wiring, later))
    assert town.got == (0, 1)


def test_an_event_that_cannot_be_planned_holds_up_no_other(
    town: Town, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    town.world.guardian()
    bad, good = town.world.bill(), town.world.bill()
    right = planning.plan_events

    def plan_events(session, event_ids, *rest):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN002, ANN202  as the original
        if bad in {town.world.subject_of(event_id) for event_id in event_ids}:
            raise RuntimeError("planted")
        return right(session, event_ids, *rest)

    monkeypatch.setattr(notifying, "plan_events", plan_events)
    assert notifying.plan(town.wiring) == 1
    assert {town.world.subject_of(message.event_id) for message in town.world.messages()} == {good}
    assert "could not be planned" in caplog.text


def test_a_message_that_cannot_be_written_holds_up_no_other(
    town: Town, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    town.world.guardian(phone="84912345678", email=None)
    bad, _ = town.world.bill(), town.world.bill()
    notifying.plan(town.wiring)
    right = links.ensure_links

    def ensure_links(session, key, base, requests, now):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202  as the original
        if bad in {request.id for request in requests}:
            raise RuntimeError("planted")
        return right(session, key, base, requests, now)

    monkeypatch.setattr(notifying, "ensure_links", ensure_links)
    notifying.send(town.wiring)
    assert town.got == (1, 0)
    assert sorted(town.world.states()) == [("zalo", "accepted"), ("zalo", "pending")]
    assert "could not be written" in caplog.text


@pytest.mark.timeout(600)  # a busy machine takes minutes to start the sender
def test_killed_in_the_middle_of_a_call_nobody_is_told_twice(town: Town) -> None:
    """The provider has the message, its answer never comes, and the process dies by kill -9."""
    town.world.guardian()
    town.world.bill()
    notifying.plan(town.wiring)
    _have_a_token(town)
    town.zalo.trouble.order("accept-then-silence", 1)
    process = _start_sender(town)
    deadline = time.monotonic() + 300
    while not town.zalo.delivered and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert town.got == (1, 0)
    assert notifying.send(town.wiring) == 0
    notifying.send(_at(town.wiring, town.wiring.clock() + LEASE + timedelta(minutes=1)))  # its clock went on meanwhile
    assert town.got == (1, 1)
    assert town.world.states() == [("zalo", "unknown"), ("email", "accepted")]


def _have_a_token(town: Town) -> None:
    with open_channels(town.wiring) as channels:
        zalo = channels[Via.ZALO]
        assert isinstance(zalo, ZaloChannel)
        zalo._tokens.renew(zalo._tokens.current().access, zalo._exchange)


def _at(wiring: Wiring, moment: datetime) -> Wiring:
    return Wiring(wiring.settings, wiring.addresses, "", wiring.database, wiring.vault, lambda: moment, wiring.ring)


def _start_sender(town: Town) -> subprocess.Popen[bytes]:
    """Run the sending job in a process of its own, at the test's moment."""
    settings, offset = town.wiring.settings, town.wiring.clock().timestamp() - time.time()
    program = (
        "from service.settings import read_settings; from service.wiring import addresses_from, wire; "
        "from service.jobs import notifying; s = read_settings(); notifying.send(wire(s, addresses_from(s), ''))"
    )
    secret = settings.zalo_app_secret
    environment = os.environ | {
        "HOCPHI_SECRET": KEY,
        "HOCPHI_VAULT_KEY": KEY,
        "HOCPHI_CLOCK_OFFSET_SECONDS": str(round(offset)),
        "DATABASE_URL": libpq_url(town.wiring.addresses.app),
        "DATABASE_OWNER_URL": libpq_url(town.wiring.addresses.owner),
        "SMTP_URL": settings.smtp_url or "",
        "ZALO_BASE_URL": settings.zalo_base_url,
        "ZALO_OAUTH_URL": settings.zalo_oauth_url,
        "ZALO_APP_ID": settings.zalo_app_id or "",
        "ZALO_APP_SECRET": secret.get_secret_value() if secret else "",
        "ZALO_REFRESH_TOKEN": zalo_program.FIRST_REFRESH,
        "ZALO_TEMPLATE_NOTICE": settings.zalo_template_notice,
        "ZALO_TEMPLATE_RECEIPT": settings.zalo_template_receipt,
    }
    return subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, env=environment)  # noqa: S603  our own program
