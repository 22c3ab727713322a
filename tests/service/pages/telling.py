"""A school whose messages really go out: Zalo, SMS and a mailbox beside the web, and one family that has all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlmodel import Session

from billing.vault import Vault
from notifications.rules import Kind
from notifications.sms_budget import set_monthly
from service.database import Database
from service.jobs import notifying
from service.preparing import Addresses
from service.settings import Settings
from service.standins import esms as esms_program
from service.standins import mailbox as mailbox_program
from service.standins import zalo as zalo_program
from service.standins.esms import Esms
from service.standins.mailbox import Mailbox
from service.standins.zalo import Zalo
from tests.conftest import TestServers
from tests.factories.rounds import BillingSchool
from tests.factories.schools import make_guardian
from tests.service.pages.worlds import World, make_world

KEY = bytes(range(32)).hex()


@dataclass
class Telling:
    """The school, and what its families have got. The first pupil has a second guardian with e-mail only."""

    world: World
    zalo: Zalo
    mailbox: Mailbox
    esms: Esms

    def pay_for_sms(self, monthly: int = 100) -> None:
        """Let the school pay for SMS, and let Zalo take nothing today: phones are told by SMS."""
        billing = self.world.billing
        self.zalo.rules = replace(self.zalo.rules, daily_quota=0)
        self.world.change(
            lambda session: set_monthly(session, billing.id, monthly, billing.approver, self.world.clock())
        )

    def tell(self) -> int:
        """Plan and send what there is; return for how many events."""
        planned = notifying.plan(self.world.collecting.wiring)
        notifying.send(self.world.collecting.wiring)
        return planned

    def letters(self) -> list[EmailMessage]:
        """Return all letters, oldest first."""
        return [letter for kept in self.mailbox.kept if (letter := self.mailbox.letter(kept.number)) is not None]


@contextmanager
def telling(  # noqa: PLR0913, PLR0917  the fixtures of a test
    database: Database,
    addresses: Addresses,
    vault: Vault,
    servers: TestServers,
    folder: Path,
    before_issue: Callable[[Session, BillingSchool], None] | None = None,
) -> Iterator[Telling]:
    """Issue October, with Zalo, eSMS and a mailbox running."""

    def prepare(session: Session, billing: BillingSchool) -> None:
        make_guardian(session, vault, billing.pupils[0], phone="", email="me@gia-dinh.example", name="Trần Thị Hồng")
        if before_issue is not None:
            before_issue(session, billing)

    zalo, phones = zalo_program.start(folder / "zalo")
    esms, texts = esms_program.start(folder / "esms", rules=esms_program.EsmsRules(lost="", blocked="", report_after=0))
    mailbox, smtp_port, letters = mailbox_program.start(folder / "mail")
    try:
        world = make_world(database, addresses, vault, servers, before_issue=prepare)
        wiring = replace(world.wiring, settings=_settings(phones.url, texts.url, smtp_port))
        world.collecting = replace(world.collecting, wiring=wiring)
        yield Telling(world, zalo, mailbox, esms)
    finally:
        letters.stop()
        texts.stop()
        phones.stop()


def _settings(zalo: str, esms: str, smtp_port: int) -> Settings:
    templates: dict[str, Any] = {
        f"zalo_template_{name}": zalo_program.TEMPLATE_IDS[kind, "vi"]
        for name, kind in (
            ("notice", Kind.BILL_ISSUED),
            ("replaced", Kind.BILL_REPLACED),
            ("voided", Kind.BILL_VOIDED),
            ("credited", Kind.BILL_CREDITED),
            ("used", Kind.CREDIT_USED),
            ("reminded", Kind.BILL_REMINDED),
            ("contract", Kind.CONTRACT_OFFERED),
            ("choice", Kind.CHOICE_OFFERED),
            ("receipt", Kind.PAYMENT_RECEIVED),
            ("taken_back", Kind.PAYMENT_TAKEN_BACK),
            ("card_unpaid", Kind.CARD_UNPAID),
        )
    }
    return Settings.model_construct(
        secret=SecretStr(KEY),
        vault_key=SecretStr(KEY),
        base_url="http://127.0.0.1:8000",
        smtp_url=f"smtp://127.0.0.1:{smtp_port}",
        mail_sender="Hocphi <thu-phi@hocphi.example>",
        esms_base_url=esms,
        esms_api_key=SecretStr(esms_program.API_KEY),
        esms_secret_key=SecretStr(esms_program.SECRET_KEY),
        esms_brandname=esms_program.BRANDNAME,
        zalo_base_url=zalo,
        zalo_oauth_url=zalo,
        zalo_app_id=zalo_program.APP_ID,
        zalo_app_secret=SecretStr(zalo_program.APP_SECRET),
        zalo_refresh_token=SecretStr(zalo_program.FIRST_REFRESH),
        zalo_template_code=zalo_program.CODE_TEMPLATE,
        **templates,
    )
