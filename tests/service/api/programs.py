"""A school on its first day behind the real web, and programs that hold its people's tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.testclient import TestClient
from starlette.types import ASGIApp

from billing.audit.recording import Actor
from service.access.roles import Place
from service.access.tables import User
from service.access.token_plan import TokenPlan
from service.access.tokens import make_token
from service.database import EVERYTHING
from tests.factories.schools import SCHOOL_YEAR
from tests.service.pages.fresh import Fresh, roster
from tests.service.pages.worlds import make_staff

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass
class Program:
    """A program with a token: asks and gives JSON."""

    client: TestClient
    token: str
    school: str

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:  # noqa: ANN401  JSON
        """Call a path below the school; return status and answer."""
        where = path if path.startswith("/api/") else f"/api/v1/schools/{self.school}{path}"
        named = {"authorization": f"Bearer {self.token}", **{key.replace("_", "-"): it for key, it in headers.items()}}
        answer = self.client.request(method, where, json=body, headers=named)
        is_json = answer.headers.get("content-type", "").startswith("application/json")
        return answer.status_code, answer.json() if is_json else answer.content

    def get(self, path: str) -> Any:  # noqa: ANN401  as above
        """Read something that must be there."""
        status, found = self.ask("GET", path)
        assert status == 200, found
        return found

    def do(self, path: str, body: Any = None, status: int = 200, **headers: str) -> Any:  # noqa: ANN401  as above
        """Do something that must work."""
        got, found = self.ask("POST", path, {} if body is None else body, **headers)
        assert got == status, found
        return found

    def file(self, path: str, data: bytes) -> tuple[int, Any]:
        """Send a workbook."""
        headers = {"authorization": f"Bearer {self.token}", "content-type": XLSX}
        answer = self.client.post(f"/api/v1/schools/{self.school}{path}", content=data, headers=headers)
        return answer.status_code, answer.json()


def token_of(fresh: Fresh, user: User, role: str, *, read_only: bool = False, days: int = 30) -> str:
    """Make a token as the page would."""
    place = Place(fresh.school.id, fresh.school.code, fresh.school.name)
    with fresh.wiring.database.transaction(EVERYTHING) as session:
        plan = TokenPlan("Phần mềm kế toán", days, read_only)
        return make_token(session, Actor(user.id, role), place, plan, fresh.wiring.clock())


def program(fresh: Fresh, role: str, *, read_only: bool = False, app: ASGIApp | None = None) -> Program:
    """Return a program of the school's accountant or approver, or of a new person in another role."""
    known = {"accountant": fresh.accountant, "approver": fresh.approver}
    if role in known:
        user = known[role]
    else:
        with fresh.wiring.database.transaction(EVERYTHING) as session:
            user = make_staff(session, role, fresh.school.id, None)
    token = token_of(fresh, user, role, read_only=read_only)
    client = TestClient(app or fresh.app(), follow_redirects=False, raise_server_exceptions=False)
    return Program(client, token, fresh.school.code)


def bring_pupils(accountant: Program) -> dict[str, list[dict[str, Any]]]:
    """Import the roster of twelve; return the pupils by class."""
    status, counted = accountant.file(f"/workbooks/roster?school_year={SCHOOL_YEAR}", roster())
    assert (status, counted) == (200, {"new": 12, "changed": 0, "unchanged": 0})
    found: dict[str, list[dict[str, Any]]] = {}
    for pupil in accountant.get("/pupils?limit=200")["data"]:
        found.setdefault(pupil["class_code"], []).append(pupil)
    return found


MEALS = {"code": "TIENAN", "legal_name": "Tiền ăn bán trú", "group": "agreed", "unit": "meal_day",
         "legal_basis": "Thỏa thuận với phụ huynh 09/2025", "revenue_account": "3388", "valid_from": "2025-09-01",
         "opt_in": True}  # fmt: skip
BUS = {"code": "XE", "legal_name": "Xe đưa đón", "group": "agreed", "unit": "month",
       "legal_basis": "Thỏa thuận với phụ huynh 09/2025", "revenue_account": "531", "valid_from": "2025-09-01",
       "opt_in": True}  # fmt: skip


def add_item(accountant: Program, item: dict[str, Any], amount: int) -> dict[str, Any]:
    """Add an item with a price from September on."""
    [account] = accountant.get("/accounts")["data"]
    accountant.do("/items", {**item, "bank_account_id": account["id"]}, 201)
    made: dict[str, Any] = accountant.do(
        f"/items/{item['code']}/prices", {"amount": amount, "valid_from": "2025-09-01"}, 201
    )
    return made
