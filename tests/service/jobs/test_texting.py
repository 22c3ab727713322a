"""SMS from an event to a phone over real sockets: a killed sender, an outage, what did not arrive, and what it cost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlmodel import Session, select

from billing.audit.recording import Actor
from billing.money import Money
from billing.storage import new_id
from billing.vault import Vault
from notifications.sending import LEASE
from notifications.sms_budget import Month, set_monthly, this_month
from notifications.sms_course import LOOKS
from notifications.sms_tables import SmsText
from service.database import EVERYTHING, Database, Scope, libpq_url
from service.jobs import finding, notifying, texting
from service.preparing import Addresses
from service.running import environment_of
from service.settings import Settings
from service.standins import esms as esms_program
from service.standins import mailbox as mailbox_program
from service.standins.esms import Esms, EsmsRules
from service.standins.mailbox import Mailbox
from service.wiring import Wiring
from tests.factories.schools import make_user
from tests.notifications.world import World, make_world

ROOT = Path(__file__).parents[3]
KEY = bytes(range(32)).hex()


@dataclass
class Town:
    """A school that pays for SMS, without Zalo, and what families have got."""

    world: World
    wiring: Wiring
    esms: Esms
    mailbox: Mailbox
    rung: list[str]

    @property
    def got(self) -> tuple[int, int]:
        return len(self.esms.sent), len(self.mailbox.kept)

    def at(self, moment: datetime) -> Wiring:
        return replace(self.wiring, clock=lambda: moment)

    def month(self) -> Month:
        with self.wiring.database.transaction(Scope.of(self.world.school.id)) as session:
            return this_month(session, self.world.school.id, self.wiring.clock())

    def change(self, deed: Callable[[Session], object]) -> None:
        with self.wiring.database.transaction(Scope.of(self.world.school.id)) as session:
            deed(session)


@pytest.fixture
def town(database: Database, addresses: Addresses, vault: Vault, now: datetime, tmp_path: Path) -> Iterator[Town]:
    esms, texts = esms_program.start(tmp_path / "esms", rules=EsmsRules(report_after=0))
    mailbox, smtp_port, letters = mailbox_program.start(tmp_path / "mail")
    settings = Settings.model_construct(
        secret=SecretStr(KEY),
        vault_key=SecretStr(KEY),
        base_url="http://127.0.0.1:9",
        smtp_url=f"smtp://127.0.0.1:{smtp_port}",
        mail_sender="Hocphi <thu-phi@hocphi.example>",
        esms_base_url=texts.url,
        esms_api_key=SecretStr(esms_program.API_KEY),
        esms_secret_key=SecretStr(esms_program.SECRET_KEY),
        esms_brandname=esms_program.BRANDNAME,
    )
    rung: list[str] = []
    wiring = Wiring(settings, addresses, "", database, vault, lambda: now, rung.append)
    made = Town(make_world(database, vault, now), wiring, esms, mailbox, rung)

    def pay(session: Session) -> None:
        user = make_user(session, made.world.school).user_id or new_id()
        set_monthly(session, made.world.school.id, 50, Actor(user, "approver"), now)

    made.change(pay)
    yield made
    letters.stop()
    texts.stop()


def test_a_notice_and_its_receipt_come_by_sms(town: Town) -> None:
    town.world.guardian()
    request = town.world.bill()
    notifying.plan(town.wiring)
    notifying.send(town.wiring)
    assert town.got == (1, 0)
    town.world.pay(request, 616_000)
    notifying.plan(town.wiring)
    notifying.send(town.wiring)
    assert town.got == (2, 1), "the receipt's PDF comes by mail"
    notice, receipt = (sent.text for sent in town.esms.sent)
    assert "can nop 616.000d" in notice
    assert "da nhan 616.000d" in receipt
    assert notice.rpartition("http")[2] == receipt.rpartition("http")[2]
    assert {sent.phone for sent in town.esms.sent} == {"0912345678"}


def test_what_became_of_it_is_asked_later_with_its_cost(town: Town) -> None:
    town.world.guardian(email=None)
    town.world.bill()
    notifying.plan(town.wiring)
    notifying.send(town.wiring)
    assert texting.look(town.wiring) == 0
    soon = town.at(town.wiring.clock() + LOOKS[0])
    assert finding.waiting(soon, "notifications.look") is not None
    assert texting.look(soon) == 1
    assert finding.waiting(soon, "notifications.look") is None
    month = town.month()
    assert (month.used, month.delivered, month.cost) == (1, 1, Money(850))


def test_what_did_not_arrive_goes_by_mail(town: Town) -> None:
    town.world.guardian(phone="84912345999")
    town.world.bill()
    notifying.plan(town.wiring)
    notifying.send(town.wiring)
    assert town.got == (1, 0)
    soon = town.at(town.wiring.clock() + LOOKS[0])
    texting.look(soon)
    assert town.rung[-1] == "notifications.send"
    notifying.send(soon)
    assert town.got == (1, 1)
    assert town.world.states() == [("sms", "failed"), ("email", "accepted")]


def test_without_an_account_any_more_nothing_is_asked_for_ever(town: Town) -> None:
    town.world.guardian(email=None)
    town.world.bill()
    notifying.plan(town.wiring)
    notifying.send(town.wiring)
    moment = town.wiring.clock()
    for pause in LOOKS:
        moment += pause
        gone = replace(town.at(moment), settings=town.wiring.settings.model_copy(update={"esms_api_key": None}))
        assert texting.look(gone) == 1
    with town.wiring.database.transaction(EVERYTHING) as session:
        assert session.exec(select(SmsText)).one().next_look_at is None


def test_two_hours_of_500_and_nobody_is_told_twice(town: Town) -> None:
    """Five families; each try is of the same id, and all are served within minutes once eSMS answers again."""
    for number in range(5):
        town.world.guardian(phone=f"8491234560{number}", email=None)
    town.world.bill()
    notifying.plan(town.wiring)
    moment, end = town.wiring.clock(), town.wiring.clock() + timedelta(hours=2)
    town.esms.trouble.order("accept-then-500", 2)
    notifying.send(town.at(moment))
    while moment < end:
        moment += timedelta(minutes=10)
        town.esms.trouble.order("500", 1000)
        notifying.send(town.at(moment))
    town.esms.trouble.order("500", 0)
    for minutes in range(15):
        notifying.send(town.at(moment + timedelta(minutes=minutes)))
    assert [state for _, state in town.world.states()] == ["accepted"] * 5
    assert len({sent.request_id for sent in town.esms.sent}) == town.got[0] == 5
    assert town.month().used == 5


@pytest.mark.timeout(600)  # a busy machine takes minutes to start the sender
def test_killed_in_the_middle_of_a_call_the_family_has_it_once(town: Town) -> None:
    """eSMS has the text, its answer never comes, and the sender dies by kill -9: the next one hears "double"."""
    town.world.guardian()
    town.world.bill()
    notifying.plan(town.wiring)
    town.esms.trouble.order("accept-then-silence", 1)
    process = _start_sender(town)
    deadline = time.monotonic() + 300
    while not town.esms.sent and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert town.got == (1, 0)
    assert notifying.send(town.wiring) == 0
    later = town.wiring.clock() + LEASE + timedelta(minutes=1)  # its clock went on meanwhile
    notifying.send(town.at(later))
    notifying.send(town.at(later + timedelta(seconds=5)))
    assert town.got == (1, 0)
    assert town.world.states() == [("sms", "accepted"), ("email", "superseded")]
    assert town.world.attempts() == [("unknown", "lost"), ("accepted", "124")]
    assert town.month().used == 1


def _start_sender(town: Town) -> subprocess.Popen[bytes]:
    """Run the sending job in a process of its own, at the test's moment."""
    program = (
        "from service.settings import read_settings; from service.wiring import addresses_from, wire; "
        "from service.jobs import notifying; s = read_settings(); notifying.send(wire(s, addresses_from(s), ''))"
    )
    offset = town.wiring.clock().timestamp() - time.time()
    environment = environment_of(
        town.wiring,
        HOCPHI_CLOCK_OFFSET_SECONDS=str(round(offset)),
        DATABASE_URL=libpq_url(town.wiring.addresses.app),
    ) | {"DATABASE_OWNER_URL": libpq_url(town.wiring.addresses.owner)}
    return subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, env=environment)  # noqa: S603  our own program
