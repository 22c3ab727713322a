"""``setup``: the first province, communes, schools and administrator, asked for or from a file (docs/setup.md)."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from uuid import UUID

import psycopg
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from billing.errors import HocphiError
from service.commands.answers import YES, no, one_line, reason_of, unusable
from service.commands.setup_questions import ask_for_everything
from service.database import EVERYTHING
from service.embedded import ServersFailed
from service.running import open_wiring
from service.setting_up import SetUp, add_user, find_user, one_time_password, province_exists, set_up
from service.settings import Settings, read_settings
from service.setup_file import Administrator, read_setup_file
from service.setup_plan import BadPlan, PlanProblem, SetupPlan
from service.wiring import Wiring

_EXISTS = "Đã có tỉnh trong cơ sở dữ liệu; dùng --add để thêm cơ quan, trường, lớp. Chưa thay đổi gì."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--file", type=Path, metavar="FILE.json", help="đọc từ tệp thay vì hỏi (xem docs/setup.md)")
    parser.add_argument("--add", action="store_true", help="thêm vào tỉnh đã có")


def run(arguments: argparse.Namespace) -> int:
    """Set up; 1 when there is a province already or the database cannot be used, 2 for a file with faults."""
    source = str(arguments.file or "setup")
    settings = read_settings()
    try:
        plan, administrator = _read(arguments.file, add=arguments.add) if arguments.file else (None, None)
        return _with_database(settings, plan, administrator, add=arguments.add)
    except BadPlan as bad:
        return _faults(source, bad)
    except EOFError:
        return unusable("Câu trả lời chưa đủ; chưa thay đổi gì. Trả lời từng câu, hoặc dùng --file.")
    except SQLAlchemyError as error:
        reason = reason_of(error)
        return no(f"Không dùng được cơ sở dữ liệu: {reason}. Đã chạy `python -m service db prepare` chưa?")
    except (HocphiError, ServersFailed, psycopg.Error) as error:
        return no(str(error))


def _read(path: Path, *, add: bool) -> tuple[SetupPlan, Administrator | None]:
    try:
        plan, administrator = read_setup_file(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        raise BadPlan([PlanProblem("tệp", "Không phải chữ UTF-8.", "Lưu lại tệp dạng UTF-8.")]) from None
    if administrator is None and not add:
        raise BadPlan([PlanProblem("administrator", "Thiếu mục này.", "Ghi login và full_name của quản trị viên.")])
    return plan, administrator


def _with_database(
    settings: Settings, plan: SetupPlan | None, administrator: Administrator | None, *, add: bool
) -> int:
    with open_wiring(settings, ring=False) as wiring:
        if not add and _exists(wiring):
            return no(_EXISTS)
        if plan is None:
            plan, administrator = ask_for_everything(input)
        return _make(wiring, plan, administrator, add=add)


def _exists(wiring: Wiring) -> bool:
    with wiring.database.transaction(EVERYTHING) as session:
        return province_exists(session)


def _make(wiring: Wiring, plan: SetupPlan, administrator: Administrator | None, *, add: bool) -> int:
    """Do it in one transaction; the password is printed after it is stored, and nowhere else."""
    with wiring.database.transaction(EVERYTHING) as session:
        if not add and province_exists(session):  # somebody was faster while we asked
            return no(_EXISTS)
        done = set_up(session, plan, wiring.clock())
        password = _administer(session, wiring, administrator, done.province_id)
    _tell(done, administrator, password, wiring.settings.base_url)
    return YES


def _administer(session: Session, wiring: Wiring, administrator: Administrator | None, province_id: UUID) -> str | None:
    """Make the administrator; return the one-time password, or None when nobody new was made."""
    if administrator is None or find_user(session, administrator.login) is not None:
        return None
    password = one_time_password()
    add_user(
        session,
        administrator.login,
        administrator.full_name,
        password,
        [("admin", province_id)],
        wiring.clock(),
        must_change=True,
    )
    return password


def _tell(done: SetUp, administrator: Administrator | None, password: str | None, url: str) -> None:
    print(
        f"Đã có {len(done.authorities)} cơ quan; {len(done.schools)} trường trong kế hoạch; thêm mới {done.made} mục."
    )
    if administrator is None:
        return
    if password is None:
        print(f"Người dùng “{administrator.login}” đã có; mật khẩu giữ nguyên.")
        return
    print(f"Đăng nhập tại {url}/dang-nhap")
    print(f"  Tên đăng nhập:         {administrator.login}")
    print(f"  Mật khẩu dùng một lần: {password}")
    print("Mật khẩu này chỉ hiện một lần và phải đổi khi đăng nhập lần đầu.")


def _faults(source: str, bad: BadPlan) -> int:
    """Print every fault on its own line, then the count as the one-line reason."""
    for each in bad.problems:
        print(one_line(f"{source}: {each}"), file=sys.stderr)
    return unusable(f"{source}: {len(bad.problems)} chỗ cần sửa; chưa thay đổi gì.")
