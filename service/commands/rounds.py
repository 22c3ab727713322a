"""``rounds run``: calculate or issue one period's rounds of many schools, with a progress bar; may be stopped."""

from __future__ import annotations

import argparse
import sys
import time
from datetime import timedelta, timezone
from uuid import UUID

import psycopg
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col, select
from tqdm import tqdm

from billing.people.tables import School
from service.access.roles import Actor
from service.access.staff import find_account, schools_with
from service.commands.answers import NO, YES, no, reason_of, unusable
from service.database import EVERYTHING, NOTHING, use_scope
from service.embedded import ServersFailed
from service.jobs.round_runs import (
    LONGEST_NAME,
    Progress,
    ask_run,
    how_far,
    new_name,
    troubles,
    unfinished_run,
    work_off,
)
from service.running import open_wiring
from service.setting_up import fold_login
from service.settings import read_settings
from service.wiring import Wiring

_LOCAL = timezone(timedelta(hours=7))
_OTHERS_SECONDS = 1.0  # how often is looked what other workers got done


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the act, the period, who answers for it, and which schools."""
    acts = parser.add_subparsers(dest="act", required=True)
    run_act = acts.add_parser("run", help="chạy cho nhiều trường; dừng lúc nào cũng được, chạy lại thì làm tiếp")
    run_act.add_argument("--period", required=True, help="mã đợt thu, ví dụ 2025-10")
    run_act.add_argument("--do", choices=("preview", "issue"), default="issue", help="tính (preview) hoặc phát hành")
    run_act.add_argument("--as", dest="login", help="tài khoản kế toán đứng tên phần tính; cần cho --do preview")
    run_act.add_argument("--school", action="append", default=[], help="mã trường; lặp lại được, bỏ trống là tất cả")
    run_act.add_argument("--name", help="tên lượt chạy, để làm tiếp một lượt đã dừng")
    run_act.add_argument("--database", default="hocphi", help="tên cơ sở dữ liệu trên máy chủ kèm theo")


def run(arguments: argparse.Namespace) -> int:
    """Run until nothing is ready; 0 when every school is done, 1 when one is refused, put off or there is none."""
    if arguments.do == "preview" and not arguments.login:
        return unusable("Tính đợt thu cần --as TÊN_ĐĂNG_NHẬP của kế toán đứng tên.")
    if arguments.name is not None and not 0 < len(arguments.name) <= LONGEST_NAME:
        return unusable(f"--name dài từ 1 đến {LONGEST_NAME} ký tự.")
    try:
        with open_wiring(read_settings(), database=arguments.database) as wiring:
            return _run(wiring, arguments)
    except (ServersFailed, psycopg.Error, SQLAlchemyError) as error:
        return no(reason_of(error))


def _run(wiring: Wiring, arguments: argparse.Namespace) -> int:
    with wiring.database.transaction(NOTHING) as session:
        account = find_account(session, fold_login(arguments.login)) if arguments.login else None
        if arguments.login and account is None:
            return unusable(f"Không có tài khoản {arguments.login}.")
        user_id = account.user_id if account else None
        schools, unknown = _schools(session, wiring, arguments.school, user_id)
        if unknown:
            return unusable(f"Không có trường mã {', '.join(unknown)}, hoặc tài khoản không phải kế toán ở đó.")
        now, act, period = wiring.clock(), arguments.do, arguments.period
        name = arguments.name or unfinished_run(session, act, period) or new_name(act, period, now.astimezone(_LOCAL))
        use_scope(session, EVERYTHING)
        ask_run(session, act, period, name, schools, user_id=user_id, now=now)
    if not how_far(wiring, name).total:
        return no(f"Không có đợt thu {period} nào đang chờ {'tính' if act == 'preview' else 'phát hành'}.")
    return _tell(wiring, name, _work(wiring, name))


def _schools(session: Session, wiring: Wiring, codes: list[str], user_id: UUID | None) -> tuple[list[UUID], list[str]]:
    """Return the chosen schools, and the codes that name none where the user may do this."""
    use_scope(session, EVERYTHING)
    named: dict[str, UUID] = dict(session.exec(select(col(School.code), col(School.id))).all())
    allowed = set(named.values())
    if user_id is not None:
        allowed = set(schools_with(session, user_id, Actor.ACCOUNTANT, wiring.clock()))
    unknown = [code for code in codes if named.get(code) not in allowed]
    return [school for code, school in named.items() if school in allowed and (not codes or code in codes)], unknown


def _work(wiring: Wiring, name: str) -> Progress:
    """Work the run off beside whoever else does; a bar on standard error."""
    print(f"Lượt chạy: {name}", file=sys.stderr)
    try:
        with tqdm(desc="trường", unit="", file=sys.stderr, dynamic_ncols=True) as bar:
            while True:
                for at in work_off(wiring, name):
                    bar.total = at.total
                    bar.update(at.done + at.failed - bar.n)
                at = how_far(wiring, name)
                bar.update(at.done + at.failed - bar.n)
                if not at.ready:
                    return at
                time.sleep(_OTHERS_SECONDS)
    except KeyboardInterrupt:
        print("\nĐã dừng giữa chừng; chạy lại đúng lệnh này để làm tiếp.", file=sys.stderr)
        raise
    finally:
        wiring.ring("notifications.plan")


def _tell(wiring: Wiring, name: str, at: Progress) -> int:
    """Print the outcome, and each school that needs somebody."""
    print(f"xong {at.done}, từ chối {at.failed}, chờ thử lại {at.put_off}")
    with wiring.database.transaction(EVERYTHING) as session:
        found = troubles(session, name)
        names = {school.id: school for school in session.exec(select(School)).all()} if found else {}
    for school_id, reason in found:
        print(f"{names[school_id].code} {names[school_id].name}: {reason}")
    return YES if at.done == at.total else NO
