"""Every act of two persons passes ``second_person``, and every table that keeps one is looked at by the database too.

The lists below say of each exception why. What is in none of them and does not pass is an act that somebody forgot.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlmodel import SQLModel

from billing.audit.recording import SYSTEM, Actor
from billing.errors import NotAllowed, SamePerson
from billing.people.agreeing import NO_CHILD, Agreement, second_person
from service.database import NOTHING, Database

ROOT = Path(__file__).parents[3]
ROOMS = ("billing", "reconciliation", "service/access")
GATE = "second_person"
SECOND = {"decided_by", "approved_by", "confirmed_by"}
"""Columns that hold who agreed."""

NOT_AN_AGREEMENT = {
    "billing/cash/handing_over.py": "nobody hands the till over to himself; the receiver signs, and is named before",
    "billing/people/declaring.py": "nobody takes away what binds himself",
    "service/access/staff_asking.py": "nobody asks for rights for himself",
    "service/access/staff_ending.py": "nobody ends his own role",
}
OF_THE_WHOLE_SCHOOL = {
    "billing/fees/placing.py": "where the school lies",
    "billing/fees/support.py": "whether the State pays the school or the families, of all alike",
    "billing/rounds/approving.py": "a round, which chooses nobody",
    "billing/rounds/locking.py": "as above",
}
ELSEWHERE = {
    "billing/banking/opening.py": "opens what ``changing.approve_account`` agreed to",
    "billing/contracts/deposits.py": "a round of a contract's version, which two agreed to",
    "billing/fees/catalogue.py": "the pure rule, no row",
    "billing/fees/charges.py": "the pure rule, no row",
    "billing/fees/insured.py": "the pure rule, no row",
    "billing/fees/schedule.py": "the pure rule, no row; what it stores stands in a decision of the school for all",
    "billing/newyear/former.py": "writes the no; the yes is ``taking_over.approve_former``",
    "billing/payments/writing_off.py": "writes the no that follows from a bill's end",
    "billing/rounds/drafting.py": "makes what ``approving`` approves",
    "billing/rounds/previewing.py": "sends back what was submitted: takes a yes away",
    "billing/rounds/voiding.py": "carries out what ``correcting.approve_correction`` agreed to",
    "service/access/accounts.py": "the first administrator, by the command line",
    "service/access/operating.py": "the first administrator, by the command line",
    "service/access/registrations.py": "one person of the school looks at a guardian's own word",
    "service/access/staff_asking.py": "a class teacher's role, which moves no money",
}
BY_ONE = {
    "billing.cash.handing_over.decide_handover": "the receiver signs, and is named before",
    "billing.contracts.agreeing.agree": "the guardian agrees",
    "billing.contracts.confirming.confirm": "the guardian confirms",
    "reconciliation.deciding.decide": "the matcher decides",
    "reconciliation.queue.assigning.decide": "writes what ``assign``, ``agree`` and ``refuse`` found",
    "reconciliation.statements.uploading.confirm_upload": "one person confirms what was read, which pays nobody",
    "service.access.registrations.accept_registration": "one person looks at a guardian's own word",
}
# What the trigger of migration 0067 looks at; and why it cannot, or need not, look at the others.
LOOKED_AT = {
    "bank_reversal_decisions", "card_refund_decisions", "cash_reversal_decisions", "correction_decisions",
    "entitlements", "queue_decisions", "reductions", "refund_decisions", "relief_decisions",
}  # fmt: skip
NOT_LOOKED_AT = {
    "account_approvals": "no child", "bank_accounts": "no child", "bill_credits": "follows correction_decisions",
    "bill_voids": "follows correction_decisions", "billing_rounds": "the whole school",
    "card_act_decisions": "whose a transfer is stands in the matcher's words: by the rules alone",
    "card_switch_decisions": "no child", "cash_count_decisions": "no child", "cash_handover_decisions": "no child",
    "cash_tie_decisions": "no child", "contract_approvals": "the whole school", "former_decisions": "the whole school",
    "number_list_decisions": "numbers of nobody yet", "period_decisions": "no child", "receipt_starts": "no child",
    "registration_decisions": "a guardian's word", "role_grants": "no child", "school_places": "the whole school",
    "shortfall_limit_decisions": "no child", "staff_decisions": "no child", "state_claims": "the whole school",
    "support_choices": "the whole school",
    "transfer_release_decisions": "whose a transfer is stands in its memo: by the rules alone",
    "year_opening_signatures": "the whole school",
}  # fmt: skip


@lru_cache
def files() -> dict[str, ast.Module]:
    paths = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    return {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text()) for path in paths}


def calls(node: ast.AST, name: str) -> bool:
    return any(isinstance(each, ast.Name) and each.id == name for each in ast.walk(node))


def test_same_person_is_said_in_one_place() -> None:
    """A new act of two persons that compares maker and checker by itself would forget the families."""
    saying = {path for path, tree in files().items() if path != "billing/people/agreeing.py" and raises(tree)}
    known = NOT_AN_AGREEMENT | OF_THE_WHOLE_SCHOOL
    assert saying == set(known)


def raises(tree: ast.Module) -> bool:
    return any(isinstance(each, ast.Raise) and calls(each, "SamePerson") for each in ast.walk(tree))


def second_tables() -> dict[str, str]:
    """Return, by class, the tables that hold who agreed."""
    mapped = {mapper.class_: mapper.local_table for mapper in SQLModel._sa_registry.mappers}
    return {row.__name__: str(table) for row, table in mapped.items() if SECOND & set(table.columns.keys())}


def test_whoever_writes_that_somebody_agreed_asks_first() -> None:
    rows = second_tables()
    writing = {
        path
        for path, tree in files().items()
        for each in ast.walk(tree)
        if (isinstance(each, ast.Call) and isinstance(each.func, ast.Name) and each.func.id in rows) or sets(each)
    }
    passing = {path for path in writing if calls(files()[path], GATE)}
    known = NOT_AN_AGREEMENT | OF_THE_WHOLE_SCHOOL | ELSEWHERE
    assert writing - passing - set(known) == set()
    assert set(ELSEWHERE) <= writing - passing, "an exception that is none any more"


def sets(node: ast.AST) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else []
    return any(isinstance(each, ast.Attribute) and each.attr in SECOND for all_ in targets for each in ast.walk(all_))


def test_every_act_called_agreeing_passes_the_gate() -> None:
    """Through the functions it calls, followed over files by their imports."""
    named = {
        f"{module(path)}.{each.name}": path
        for path, tree in files().items()
        for each in tree.body
        if isinstance(each, ast.FunctionDef) and re.match(r"(agree|approve|accept|confirm|decide)(_|$)", each.name)
    }
    acts = {name for name, path in named.items() if path not in OF_THE_WHOLE_SCHOOL}
    missing = {name for name in acts if f"billing.people.agreeing.{GATE}" not in reached(name)}
    assert missing == set(BY_ONE)
    assert len(acts - missing) > 20, "the acts are found"


def module(path: str) -> str:
    return path.removesuffix(".py").replace("/", ".")


def reached(start: str) -> set[str]:
    """Return the functions of ours that a function calls, and those that they call."""
    found, new = set(), [start]
    while new:
        name = new.pop()
        if name not in found:
            found.add(name)
            new.extend(called(name))
    return found


@cache
def called(name: str) -> tuple[str, ...]:
    home, _, function = name.rpartition(".")
    tree = files().get(home.replace(".", "/") + ".py")
    body = [each for each in tree.body if isinstance(each, ast.FunctionDef) and each.name == function] if tree else []
    if tree is None or not body:
        return ()
    known = {each.name: home for each in tree.body if isinstance(each, ast.FunctionDef)}
    known |= {alias.asname or alias.name: origin for alias, origin in imported(tree)}
    return tuple(
        f"{known[each.id]}.{each.id}" for each in ast.walk(body[0]) if isinstance(each, ast.Name) and each.id in known
    )


def imported(tree: ast.Module) -> Iterator[tuple[ast.alias, str]]:
    for each in tree.body:
        if isinstance(each, ast.ImportFrom) and each.module:
            for alias in each.names:
                yield alias, each.module


def test_every_table_of_two_persons_is_looked_at_or_said_why_not(database: Database) -> None:
    with database.transaction(NOTHING) as session:
        guarded = session.execute(
            text(
                "SELECT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
                " WHERE t.tgname = 'nobodys_own_family'"
            )
        ).scalars()
        assert set(guarded) == LOOKED_AT
    tables = set(second_tables().values())
    assert tables - LOOKED_AT == set(NOT_LOOKED_AT)
    assert tables >= LOOKED_AT


def test_nobody_agrees_to_what_he_asked_for_and_no_program_agrees(database: Database) -> None:
    maker, other = Actor(uuid4(), "approver"), Actor(uuid4(), "approver")
    asked = Agreement(uuid4(), {maker.user_id, None}, NO_CHILD, "Người đề nghị không tự duyệt.", {"what": 7})
    with database.transaction(NOTHING) as session:
        with pytest.raises(SamePerson, match="không tự duyệt") as refused:
            second_person(session, maker, asked)
        assert refused.value.facts == {"what": 7}
        for nobody in (asked, Agreement(asked.school_id, {maker.user_id}, NO_CHILD, "")):
            with pytest.raises(NotAllowed):
                second_person(session, SYSTEM, nobody)
        assert second_person(session, other, asked) == other.user_id
