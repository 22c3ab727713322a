"""One-time codes on rows: five tries, ten minutes, one use, one link, one contact, and never more than one winner."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from itertools import product
from threading import Barrier
from typing import TypeVar
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlmodel import Session, col, select

from billing.errors import Refused
from billing.storage import new_id
from service.access.errors import TooManyTries
from service.access.guardian_codes import (
    LIFETIME,
    MOST_TRIES,
    Outcome,
    Reached,
    Wanted,
    find_code,
    is_open,
    issue_code,
    try_code,
)
from service.access.guardian_tables import GuardianCode
from service.database import EVERYTHING, Database, Scope
from tests.conftest import SCHOOL_DAY
from tests.factories.schools import make_school

Found = TypeVar("Found")
Done = TypeVar("Done")
KEY = bytes(range(32))
LINK = b"l" * 32
MOTHER = Reached("phone", b"m" * 32, "09•• ••• 123")
FATHER = Reached("phone", b"f" * 32, "09•• ••• 456")
RACES = 50 if os.environ.get("HOCPHI_PROOF") else 5


class Codes:
    """A school, and short ways to ask for a code and to try one, each in a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self.database = database
        with database.transaction(EVERYTHING) as session:
            self.schools = [make_school(session).id for _ in range(2)]
        self.wanted = Wanted(self.schools[0], "explain", LINK, MOTHER)
        self.now = SCHOOL_DAY

    def ask(self, **different: object) -> tuple[UUID, str]:
        """Ask for a code; return its id and digits."""
        wanted = replace(self.wanted, **different)  # type: ignore[arg-type]  # a test's short hand
        with self.database.transaction(Scope.of(wanted.school_id)) as session:
            row, code = issue_code(session, KEY, wanted, self.now)
            return row.id, code

    def tries(self, code_id: UUID, typed: str) -> Outcome:
        """Try a code."""
        with self.database.transaction(Scope.of(self.wanted.school_id)) as session:
            return try_code(session, KEY, session.get_one(GuardianCode, code_id), typed, self.now)

    def reads(self, read: Callable[[Session], Found]) -> Found:
        """Read something across schools."""
        with self.database.transaction(EVERYTHING) as session:
            return read(session)

    def row(self, code_id: UUID) -> GuardianCode:
        """Return the stored row."""
        return self.reads(lambda session: session.get_one(GuardianCode, code_id))


@pytest.fixture
def codes(database: Database) -> Codes:
    return Codes(database)


def other_than(code: str, step: int = 1) -> str:
    """Return another code."""
    return f"{(int(code) + step) % 1_000_000:06d}"


def at_once(*acts: Callable[[], Done]) -> list[Done]:
    """Do several things at the same moment."""
    start = Barrier(len(acts))

    def wait_and(act: Callable[[], Done]) -> Done:
        start.wait(timeout=20)
        return act()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(wait_and, acts))


def test_a_code_is_good_once_and_kept_as_a_digest_only(codes: Codes) -> None:
    code_id, code = codes.ask(about=b"sealed")
    stored = codes.reads(lambda session: session.execute(text("SELECT g::text FROM guardian_codes g")).scalar_one())
    assert code not in stored.replace(str(code_id), "")
    assert code.encode().hex() not in stored
    assert codes.tries(code_id, f" {code[:3]} {code[3:]} ") is Outcome.RIGHT
    assert codes.tries(code_id, code) is Outcome.ENDED
    assert (codes.row(code_id).tries, codes.row(code_id).used_at) == (1, codes.now)


def test_five_tries_and_then_the_right_one_is_too_late(codes: Codes) -> None:
    code_id, code = codes.ask(about=b"sealed")
    outcomes = [codes.tries(code_id, other_than(code, step)) for step in range(1, MOST_TRIES + 1)]
    assert outcomes == [Outcome.WRONG] * 4 + [Outcome.ENDED]
    assert codes.tries(code_id, code) is Outcome.ENDED
    assert codes.row(code_id).tries == MOST_TRIES
    assert codes.row(code_id).about_sealed is None  # what was typed is not kept for nothing


def test_what_is_no_code_costs_no_try(codes: Codes) -> None:
    code_id, code = codes.ask()
    assert {codes.tries(code_id, typed) for typed in ("", "12345", "abcdef", "1234567")} == {Outcome.WRONG}
    assert codes.row(code_id).tries == 0
    assert codes.tries(code_id, code) is Outcome.RIGHT


@pytest.mark.parametrize(
    ("later", "outcome"),
    [
        (timedelta(seconds=-1), Outcome.ENDED),  # a clock that was put back
        (LIFETIME - timedelta(microseconds=1), Outcome.RIGHT),
        (LIFETIME, Outcome.ENDED),
    ],
)
def test_ten_minutes(codes: Codes, later: timedelta, outcome: Outcome) -> None:
    code_id, code = codes.ask()
    codes.now += later
    assert codes.tries(code_id, code) is outcome


def test_a_newer_code_ends_the_older_one_of_that_contact_only(codes: Codes) -> None:
    first, first_code = codes.ask(about=b"first")
    fathers, fathers_code = codes.ask(contact=FATHER, about=b"father")
    codes.now += timedelta(seconds=1)
    second, second_code = codes.ask(about=b"second")
    assert codes.row(first).about_sealed is None
    assert codes.row(fathers).about_sealed == b"father"
    assert codes.tries(first, first_code) is Outcome.ENDED
    assert codes.tries(fathers, fathers_code) is Outcome.RIGHT
    assert codes.tries(second, second_code) is Outcome.RIGHT


def test_of_two_made_at_the_same_moment_one_is_good(codes: Codes) -> None:
    made = [codes.ask(), codes.ask()]
    assert sorted(codes.tries(*each) for each in made) == [Outcome.ENDED, Outcome.RIGHT]


def test_a_code_belongs_to_its_link_its_purpose_and_its_school(codes: Codes) -> None:
    code_id, _ = codes.ask()

    def found(school: int, purpose: str, link: bytes) -> bool:
        with codes.database.transaction(Scope.of(codes.schools[school])) as session:
            return find_code(session, purpose, link, code_id) is not None

    assert found(0, "explain", LINK)
    assert not found(0, "register", LINK)
    assert not found(0, "explain", b"x" * 32)
    assert not found(1, "explain", LINK)


def test_a_code_of_one_row_does_not_open_another(codes: Codes) -> None:
    mine, my_code = codes.ask()
    hers, her_code = codes.ask(contact=FATHER)
    if my_code != her_code:
        assert codes.tries(hers, my_code) is Outcome.WRONG
    assert codes.tries(mine, my_code) is Outcome.RIGHT


def test_three_an_hour_and_ten_a_day_whatever_the_link_purpose_or_school(codes: Codes) -> None:
    different: list[dict[str, object]] = [{}, {"link_hash": b"x" * 32}, {"school_id": codes.schools[1]}]
    for hour in range(3):
        for each in different:
            codes.ask(**each)
        with pytest.raises(TooManyTries) as refused:
            codes.ask(purpose="register", link_hash=new_id().bytes)
        assert refused.value.wait_seconds == 3600
        codes.now = SCHOOL_DAY + timedelta(hours=hour + 1)
    codes.ask()  # the tenth
    codes.now += timedelta(hours=2)
    with pytest.raises(TooManyTries) as refused:
        codes.ask()
    assert refused.value.wait_seconds == 19 * 3600
    codes.ask(contact=FATHER)  # nobody else is kept out
    codes.now = SCHOOL_DAY + timedelta(days=1)
    codes.ask()


def test_a_hundred_wrong_tries_in_a_row_end_it_and_a_right_one_begins_anew(codes: Codes) -> None:
    made: list[UUID] = []
    for day, second in product(range(1, 8), range(3)):
        codes.now = SCHOOL_DAY + timedelta(days=day, seconds=second)
        made.append(codes.ask()[0])

    def spend(tries: str) -> None:
        with codes.database.transaction(EVERYTHING) as session:
            session.execute(text(tries))

    spend("UPDATE guardian_codes SET tries = 5")  # 21 codes, 105 wrong tries
    codes.now += timedelta(hours=2)
    with pytest.raises(Refused, match="nhập sai quá nhiều lần"):
        codes.ask()
    codes.ask(contact=FATHER)
    spend(f"UPDATE guardian_codes SET used_at = made_at WHERE id = '{made[0]}'")  # noqa: S608  an id of ours
    with pytest.raises(Refused, match="nhập sai quá nhiều lần"):
        codes.ask()  # 100 since then
    spend(f"UPDATE guardian_codes SET used_at = made_at WHERE id = '{made[-4]}'")  # noqa: S608  as above
    codes.ask()


def test_forms_that_nobody_finished_are_forgotten_with_the_next_code_of_the_school(codes: Codes) -> None:
    old, _ = codes.ask(about=b"sealed", link_hash=b"o" * 32, contact=FATHER)
    elsewhere, _ = codes.ask(about=b"sealed", school_id=codes.schools[1], contact=FATHER)
    codes.now += LIFETIME
    codes.ask()
    assert codes.row(old).about_sealed is None
    assert codes.row(elsewhere).about_sealed == b"sealed"


def test_two_right_tries_at_once_have_one_winner(codes: Codes) -> None:
    for race in range(RACES):
        codes.now = SCHOOL_DAY + timedelta(days=race)
        code_id, code = codes.ask()
        outcomes = at_once(*[lambda: codes.tries(code_id, code)] * 3)  # noqa: B023  used within the turn
        assert Counter(outcomes) == {Outcome.RIGHT: 1, Outcome.ENDED: 2}


def test_tries_at_once_are_all_counted(codes: Codes) -> None:
    code_id, code = codes.ask()
    wrong = [lambda step=step: codes.tries(code_id, other_than(code, step)) for step in range(1, 9)]
    outcomes = at_once(*wrong)
    assert Counter(outcomes) == {Outcome.WRONG: 4, Outcome.ENDED: 4}
    assert codes.row(code_id).tries == MOST_TRIES


def test_asking_at_once_sends_no_more_than_three(codes: Codes) -> None:
    def ask() -> bool:
        try:
            codes.ask(link_hash=new_id().bytes)
        except TooManyTries:
            return False
        return True

    for race in range(RACES):
        codes.now = SCHOOL_DAY + timedelta(days=race)
        assert Counter(at_once(*[ask] * 5)) == {True: 3, False: 2}


def test_an_open_code_is_told_apart(codes: Codes) -> None:
    code_id, code = codes.ask()
    row = codes.row(code_id)
    assert codes.reads(lambda session: is_open(session, row, codes.now))
    assert not codes.reads(lambda session: is_open(session, row, codes.now + LIFETIME))
    codes.tries(code_id, code)
    assert not codes.reads(lambda session: is_open(session, session.get_one(GuardianCode, code_id), codes.now))


def test_another_school_sees_none_of_it(codes: Codes) -> None:
    codes.ask()
    with codes.database.transaction(Scope.of(codes.schools[1])) as session:
        assert session.exec(select(GuardianCode)).all() == []
    with codes.database.transaction(Scope()) as session:
        assert session.exec(select(GuardianCode)).all() == []


def test_every_code_is_as_likely_as_any_other(codes: Codes) -> None:
    """Not a proof of chance, but a code with a fixed first digit or without a leading zero would be seen."""
    made = [codes.ask(contact=replace(MOTHER, blind=bytes([n]) * 32))[1] for n in range(60)]
    assert len(set(made)) > 50
    assert len({code[0] for code in made}) >= 6
    rows = codes.reads(lambda session: session.exec(select(col(GuardianCode.digest))).all())
    assert len(set(rows)) == 60
