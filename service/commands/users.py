"""``users``: accounts of staff by the operator of the server: add, list, end, reset, sign-out.

Whoever may start this program reads the whole database anyway, so the operator acts alone. It is meant for the first
people of a school, and for when nobody else can help; the page “Người dùng” needs two people.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from datetime import date
from uuid import UUID

from sqlmodel import Session, col, select

from billing.audit.recording import SYSTEM
from billing.errors import NotFound
from billing.people.tables import Authority, School
from service.access.accounts import find_user
from service.access.actors import ROLE_NAMES, Actor
from service.access.operating import Placed, add_by_operator, end_by_operator, reset_by_operator
from service.access.staff_ending import sign_out_everywhere
from service.access.tables import ROLES, RoleGrant, User
from service.commands.acting import Act, act, school_of
from service.wiring import Wiring


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    acts = parser.add_subparsers(dest="act", required=True, metavar="add|list|end|reset|sign-out")
    add = acts.add_parser("add", help="thêm người dùng, hoặc thêm vai trò cho người đã có", allow_abbrev=False)
    _login(add)
    add.add_argument("--name", metavar="HỌ_TÊN", help="họ tên; cần khi người dùng chưa có")
    _role(add)
    add.add_argument(
        "--from", dest="first_day", type=_day, metavar="NGÀY", help="từ ngày (2025-09-01), mặc định hôm nay"
    )
    add.add_argument("--to", dest="last_day", type=_day, metavar="NGÀY", help="đến hết ngày")
    listing = acts.add_parser("list", help="liệt kê người dùng, mỗi dòng một JSON", allow_abbrev=False)
    listing.add_argument("--school", metavar="MÃ", help="chỉ một trường")
    end = acts.add_parser("end", help="thôi một vai trò sau một ngày", allow_abbrev=False)
    _login(end)
    _role(end)
    end.add_argument("--on", dest="last_day", type=_day, required=True, metavar="NGÀY", help="ngày cuối")
    reset = acts.add_parser("reset", help="đặt mật khẩu dùng một lần mới", allow_abbrev=False)
    _login(reset)
    out = acts.add_parser("sign-out", help="kết thúc mọi phiên, thu hồi mọi khóa API", allow_abbrev=False)
    _login(out)


def _login(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--login", required=True, metavar="TÊN", help="tên đăng nhập")


def _role(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--role", required=True, choices=ROLES, help="vai trò")
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--school", metavar="MÃ", help="mã trường")
    place.add_argument("--authority", metavar="MÃ", help="mã tỉnh, xã hoặc Sở: mọi trường bên dưới")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"phải là ngày như 2025-09-01, không phải {text[:40]!r}") from None


def run(arguments: argparse.Namespace) -> int:
    """Act; 1 when the rules say no or the database cannot be used, 2 for an unusable argument."""
    return act(_ACTS[arguments.act], arguments)


def _add(session: Session, arguments: argparse.Namespace, wiring: Wiring) -> list[str]:
    placed, now = _placed(session, arguments), wiring.clock()
    password = add_by_operator(
        session, arguments.login, arguments.name, placed, arguments.first_day, arguments.last_day, now
    )
    role = ROLE_NAMES[Actor(arguments.role)][0].lower()
    said = f"Đã cấp vai trò {role} cho {arguments.login} tại {placed.name}."
    return [said] if password is None else [said, *_told(arguments.login, password, wiring)]


def _list(session: Session, arguments: argparse.Namespace, wiring: Wiring) -> list[str]:
    del wiring
    schools = dict(session.exec(select(School.id, School.code)).all())
    authorities = dict(session.exec(select(Authority.id, Authority.code)).all())
    only = None if arguments.school is None else school_of(session, arguments.school).id
    grants = session.exec(select(RoleGrant).order_by(col(RoleGrant.id))).all()
    lines = []
    for user in session.exec(select(User).order_by(col(User.login))).all():
        held = [each for each in grants if each.user_id == user.id and only in {None, each.school_id}]
        if held or only is None:
            roles = [_shown(each, schools, authorities) for each in held]
            shown: dict[str, object] = {"login": user.login, "name": user.full_name, "roles": roles}
            shown["must_change_password"] = user.must_change_password
            lines.append(json.dumps(shown, ensure_ascii=False))
    return lines


def _shown(grant: RoleGrant, schools: Mapping[UUID, str], authorities: Mapping[UUID, str]) -> dict[str, str | None]:
    return {
        "role": grant.role,
        "school": schools.get(grant.school_id) if grant.school_id else None,
        "authority": authorities.get(grant.authority_id) if grant.authority_id else None,
        "from": grant.valid_from.isoformat(),
        "to": grant.valid_to.isoformat() if grant.valid_to else None,
    }


def _end(session: Session, arguments: argparse.Namespace, wiring: Wiring) -> list[str]:
    user, placed = _user(session, arguments.login), _placed(session, arguments)
    end_by_operator(session, user, placed, arguments.last_day, wiring.clock())
    return [f"Vai trò {arguments.role} của {user.login} tại {placed.name} kết thúc sau {arguments.last_day:%d/%m/%Y}."]


def _reset(session: Session, arguments: argparse.Namespace, wiring: Wiring) -> list[str]:
    user = _user(session, arguments.login)
    password = reset_by_operator(session, user, wiring.clock())
    return _told(user.login, password, wiring)


def _sign_out(session: Session, arguments: argparse.Namespace, wiring: Wiring) -> list[str]:
    sessions, tokens = sign_out_everywhere(session, SYSTEM, _user(session, arguments.login).id, wiring.clock())
    return [f"Đã kết thúc {sessions} phiên, thu hồi {tokens} khóa API."]


def _told(login: str, password: str, wiring: Wiring) -> list[str]:
    return [
        f"Đăng nhập tại {wiring.settings.base_url}/dang-nhap",
        f"  Tên đăng nhập:         {login}",
        f"  Mật khẩu dùng một lần: {password}",
        "Mật khẩu này chỉ hiện một lần và phải đổi khi đăng nhập lần đầu.",
    ]


def _user(session: Session, login: str) -> User:
    user = find_user(session, login)
    if user is None:
        raise NotFound(f"Không có người dùng “{login}”.")
    return user


def _placed(session: Session, arguments: argparse.Namespace) -> Placed:
    if arguments.school is not None:
        school = school_of(session, arguments.school)
        return Placed(arguments.role, school.name, school_id=school.id)
    code = arguments.authority
    found = session.exec(select(Authority).where(Authority.code == code)).one_or_none()
    if found is None:
        raise NotFound(f"Không có cơ quan mã {code}.")
    return Placed(arguments.role, found.name, authority_id=found.id)


_ACTS: dict[str, Act] = {
    "add": _add,
    "list": _list,
    "end": _end,
    "reset": _reset,
    "sign-out": _sign_out,
}
