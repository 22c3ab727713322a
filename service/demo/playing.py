"""The main job from its first to its last act, and what stands on the screen at the end.

Act one plays on 8 September 2025, act two on 6 October. Each act has its own moved clock, kept in the state folder, so
a demo that was killed goes on where it was. What is done is found out from the rows, never from a note on the side.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import SecretStr
from sqlmodel import Session, col, select

from billing.payments.tables import PaymentRequest
from billing.rounds.tables import BillingRound
from notifications.rules import Kind
from reconciliation.reports.filling import reconciliation_report
from service.access.links import ensure_link
from service.database import EVERYTHING, Scope
from service.demo.bank_stage import play_october, play_september
from service.demo.billing_stage import OCTOBER, SEPTEMBER, bill_month
from service.demo.looking_ahead import look_ahead
from service.demo.moving_in import PASSWORD, logins, move_in, school_row
from service.demo.quiet import wait_until_quiet
from service.demo.roll_stage import tick_september
from service.demo.schools import DemoSchool, schools_for
from service.demo.stage import Stage, feed_addresses
from service.demo.summary import as_json, print_summary, summarise
from service.invariants import Result, check_all
from service.running import Programs, open_wiring
from service.settings import Settings
from service.standins import esms, mailbox, zalo
from service.standins.serving import free_port, start_in_thread
from service.wiring import Wiring

DATABASE = "hocphi_demo"
QUIET_SECONDS = 600.0
PHONES_WITHOUT_ZALO = "7"
"""A tenth of the story's phones has no Zalo: their families are told by SMS."""
_LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
_FIRST_ACT = datetime(2025, 9, 8, 8, 0, tzinfo=_LOCAL)
_SECOND_ACT = datetime(2025, 10, 6, 8, 0, tzinfo=_LOCAL)
_PROCESSES = 2


@dataclass(frozen=True, slots=True)
class Played:
    """What a finished demo leaves: its stage's addresses, whether every invariant holds, and what is broken."""

    web_url: str
    broken: tuple[Result, ...]


@contextmanager
def playing(settings: Settings, *, pupils: int, port: int) -> Iterator[Played]:
    """Play the whole job; the programs stay up inside the block."""
    folder = settings.state / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    schools = schools_for(pupils)
    settings = settings.model_copy(update={"base_url": f"http://127.0.0.1:{port}"})
    with ExitStack() as stack:
        stack.enter_context(open_wiring(settings, ring=False, database=DATABASE))  # holds the servers between the acts
        settings = stack.enter_context(_standins(settings, folder))
        log = stack.enter_context((folder / "programs.log").open("a", encoding="utf-8"))
        with open_wiring(_at(settings, _FIRST_ACT, folder), database=DATABASE) as wiring:
            if not _second_act_began(wiring):
                with Programs(wiring, port=port, processes=_PROCESSES, log=log):
                    _first_act(_stage(wiring, schools, folder))
        wiring = stack.enter_context(open_wiring(_at(settings, _SECOND_ACT, folder), database=DATABASE))
        programs = stack.enter_context(Programs(wiring, port=port, processes=_PROCESSES, log=log))
        stage = _stage(wiring, schools, folder)
        _second_act(stage)
        broken = _conclude(stage)
        yield Played(programs.url, tuple(broken))


def tell(stage_folder: Path) -> str:
    """Return where people can look, as it was written down at the end of the play."""
    return (stage_folder / "addresses.txt").read_text(encoding="utf-8")


def _first_act(stage: Stage) -> None:
    move_in(stage)
    bill_month(stage, SEPTEMBER)
    _wait(stage, "Tháng 9: gửi thông báo thu")
    play_september(stage)
    _wait(stage, "Tháng 9: đối soát, gửi tin")


def _second_act(stage: Stage) -> None:
    bill_month(stage, OCTOBER)
    # After the round that tells a restarted demo which act it is in.
    tick_september(stage)
    _wait(stage, "Tháng 10: gửi thông báo thu")
    play_october(stage)
    _wait(stage, "Tháng 10: đối soát, gửi tin")


def _wait(stage: Stage, title: str) -> None:
    """Wait until nothing is left to do; families hear of a bill before they pay it, in every run the same ones."""
    with stage.progress(title, 0) as bar:

        def show(left: Mapping[str, int]) -> None:
            bar.set_postfix_str(f"còn {sum(left.values())}", refresh=True)

        wait_until_quiet(stage.wiring, QUIET_SECONDS, show)


def _conclude(stage: Stage) -> list[Result]:
    _write_reports(stage)
    summary = summarise(stage.wiring)
    print_summary(summary)
    sys.stdout.write("\n".join(["", *look_ahead(stage), ""]))
    (stage.state / "summary.json").write_text(
        json.dumps(as_json(summary), ensure_ascii=False, indent=2), encoding="utf-8"
    )
    with stage.wiring.database.transaction(EVERYTHING) as session:
        results = check_all(session, stage.wiring.vault, stage.wiring.clock())
    (stage.state / "addresses.txt").write_text(_addresses(stage), encoding="utf-8")
    return [result for result in results if not result.ok]


def _write_reports(stage: Stage) -> None:
    for school in stage.schools:
        with stage.wiring.database.transaction(EVERYTHING) as session:
            school_id = school_row(session, school).id
        with stage.wiring.database.transaction(Scope.of(school_id)) as session:
            now = stage.wiring.clock()
            content = reconciliation_report(session, school_id, date(2025, 9, 1), date(2025, 10, 31), now)
        (stage.state / f"doi-soat-{school.key}.xlsx").write_bytes(content)


def _addresses(stage: Stage) -> str:
    with stage.wiring.database.transaction(EVERYTHING) as session:
        known = logins(session, stage.schools)
        link = _parent_link(session, stage)
    settings = stage.wiring.settings
    lines = [
        ("Trang của một phụ huynh", link),
        ("Văn phòng nhà trường", f"{stage.web_url}/dang-nhap"),
        ("  kế toán", f"{known['accountant']}  /  {PASSWORD}"),
        ("  người duyệt", f"{known['approver']}  /  {PASSWORD}"),
        ("  giáo viên", f"{known['class_teacher']}  /  {PASSWORD}"),
        ("  kiểm toán", f"{known['auditor']}  /  {PASSWORD}"),
        ("  Sở", f"{known['province']}  /  {PASSWORD}"),
        ("Zalo (giả lập)", settings.zalo_base_url),
        ("SMS (giả lập)", settings.esms_base_url),
        ("Hộp thư (giả lập)", (stage.state / "mailbox.url").read_text(encoding="utf-8")),
        ("Báo cáo đối soát", str(stage.state / f"doi-soat-{stage.schools[0].key}.xlsx")),
    ]
    return "\n".join(f"{name:<26}{value}" for name, value in lines) + "\n"


def _parent_link(session: Session, stage: Stage) -> str:
    """Return the link of a family of the first school that still has something to pay, or of any family."""
    school = school_row(session, stage.schools[0])
    requests = session.exec(
        select(PaymentRequest)
        .where(PaymentRequest.school_id == school.id)
        .order_by(col(PaymentRequest.created_at).desc(), col(PaymentRequest.reference))
    ).all()
    wiring = stage.wiring
    return ensure_link(session, wiring.link_key, wiring.settings.base_url, requests[0], wiring.clock())


def _second_act_began(wiring: Wiring) -> bool:
    with wiring.database.transaction(EVERYTHING) as session:
        return session.exec(select(BillingRound.id).where(BillingRound.code == OCTOBER.code)).first() is not None


def _stage(wiring: Wiring, schools: tuple[DemoSchool, ...], folder: Path) -> Stage:
    url = wiring.settings.base_url
    return Stage(wiring, url, folder, schools, feed_addresses(wiring.settings, schools, url))


def _at(settings: Settings, moment: datetime, folder: Path) -> Settings:
    """Return the settings with the clock moved so that the act begins at its moment; kept for a restart."""
    path = folder / "clocks.json"
    clocks: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
    key = moment.date().isoformat()
    if key not in clocks:
        clocks[key] = round((moment - datetime.now(UTC)).total_seconds())
        draft = path.with_suffix(".tmp")
        draft.write_text(json.dumps(clocks))
        os.replace(draft, path)  # noqa: PTH105  atomic, said in the shortest way
    return settings.model_copy(update={"clock_offset_seconds": clocks[key]})


@contextmanager
def _standins(settings: Settings, folder: Path) -> Iterator[Settings]:
    """Start Zalo, eSMS and the mailbox and give the settings that lead to them."""
    with ExitStack() as stack:
        rules = zalo.ZaloRules(
            links=f"{settings.base_url}/t/", daily_quota=10_000_000, without_zalo=PHONES_WITHOUT_ZALO
        )
        phones = zalo.Zalo(folder / "zalo", rules)
        screen = start_in_thread(zalo.app(phones))
        stack.callback(screen.stop)
        texts = start_in_thread(esms.app(esms.Esms(folder / "esms")))
        stack.callback(texts.stop)
        _, smtp_port, letters = mailbox.start(folder / "mailbox", 0, free_port())
        stack.callback(letters.stop)
        (folder / "mailbox.url").write_text(letters.url, encoding="utf-8")
        yield settings.model_copy(
            update={
                "smtp_url": f"smtp://127.0.0.1:{smtp_port}",
                "esms_base_url": texts.url,
                "esms_api_key": SecretStr(esms.API_KEY),
                "esms_secret_key": SecretStr(esms.SECRET_KEY),
                "esms_brandname": esms.BRANDNAME,
                "zalo_base_url": screen.url,
                "zalo_oauth_url": screen.url,
                "zalo_app_id": zalo.APP_ID,
                "zalo_app_secret": SecretStr(zalo.APP_SECRET),
                "zalo_refresh_token": SecretStr(zalo.FIRST_REFRESH),
                "zalo_template_notice": zalo.TEMPLATE_IDS[Kind.BILL_ISSUED, "vi"],
                "zalo_template_replaced": zalo.TEMPLATE_IDS[Kind.BILL_REPLACED, "vi"],
                "zalo_template_voided": zalo.TEMPLATE_IDS[Kind.BILL_VOIDED, "vi"],
                "zalo_template_credited": zalo.TEMPLATE_IDS[Kind.BILL_CREDITED, "vi"],
                "zalo_template_used": zalo.TEMPLATE_IDS[Kind.CREDIT_USED, "vi"],
                "zalo_template_taken_back": zalo.TEMPLATE_IDS[Kind.PAYMENT_TAKEN_BACK, "vi"],
                "zalo_template_card_unpaid": zalo.TEMPLATE_IDS[Kind.CARD_UNPAID, "vi"],
                "zalo_template_reminded": zalo.TEMPLATE_IDS[Kind.BILL_REMINDED, "vi"],
                "zalo_template_contract": zalo.TEMPLATE_IDS[Kind.CONTRACT_OFFERED, "vi"],
                "zalo_template_choice": zalo.TEMPLATE_IDS[Kind.CHOICE_OFFERED, "vi"],
                "zalo_template_receipt": zalo.TEMPLATE_IDS[Kind.PAYMENT_RECEIVED, "vi"],
                "zalo_template_code": zalo.CODE_TEMPLATE,
            }
        )
