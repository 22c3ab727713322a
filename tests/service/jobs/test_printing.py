"""Slips of a whole round: piece by piece, killed anywhere, never half offered, gone after a day, one school's."""

from __future__ import annotations

import io
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError
from sqlmodel import Session, col, select, update

from billing.errors import NotFound
from billing.rounds.drafting import find_round
from billing.rounds.tables import BillingRound
from billing.vault import Vault
from service.database import EVERYTHING, Database, Scope
from service.jobs import printing
from service.jobs.finding import waiting
from service.jobs.printing import MOST_PER_CALL, TASK, make_next, print_slips
from service.jobs.tables import Job
from service.papers import round_prints
from service.papers.class_slips import InClass, classes_of
from service.papers.print_state import PrintState, Standing
from service.papers.round_prints import EXPIRED, ask_print, newest_print, open_print
from service.papers.tables import KEPT, SlipPiece, SlipPrint
from service.preparing import Addresses
from service.settings import Settings
from service.wiring import Wiring
from tests.billing.documents.pages import words
from tests.factories.rounds import BillingSchool, issued_round, make_billing_school
from tests.factories.schools import make_class, make_pupil
from tests.standing import standing

CLASSES = ["1A", "1B", "1C"]
PRESS = "service.papers.round_prints.print_class"


@dataclass
class Shop:
    """A school with an issued round of three classes, and the wiring of a worker whose clock can be moved."""

    wiring: Wiring
    school: BillingSchool
    round_id: UUID
    rung: list[str] = field(default_factory=list)
    later: timedelta = timedelta(0)

    def ask(self) -> UUID:
        with self.wiring.database.transaction(Scope.of(self.school.id)) as session:
            who = self.school.accountant.user_id
            assert who
            return ask_print(session, find_round(session, self.round_id), who, self.wiring.clock())

    def state(self) -> PrintState:
        with self.wiring.database.transaction(Scope.of(self.school.id)) as session:
            found = newest_print(session, find_round(session, self.round_id), self.wiring.clock())
            assert found
            return found

    def take(self, print_id: UUID, school: UUID | None = None) -> dict[str, bytes]:
        with self.wiring.database.transaction(EVERYTHING) as session:
            found = find_round(session, self.round_id)
        with self.wiring.database.transaction(Scope.of(school or self.school.id)) as session:
            stream = open_print(session, found, print_id, self.wiring.vault, self.wiring.clock())
        with stream, zipfile.ZipFile(io.BytesIO(stream.read())) as folder:
            return {name: folder.read(name) for name in folder.namelist()}

    def pieces(self) -> list[SlipPiece]:
        with self.wiring.database.transaction(EVERYTHING) as session:
            return list(session.exec(select(SlipPiece).order_by(col(SlipPiece.print_id), col(SlipPiece.place))).all())


@pytest.fixture
@standing
def billed(database: Database, vault: Vault, now: datetime) -> tuple[BillingSchool, UUID]:
    """Make the school and its issued round."""
    with database.transaction(EVERYTHING) as session:
        school = make_billing_school(session, vault, pupils=2)
        for code in CLASSES[1:]:
            make_pupil(session, make_class(session, school.school, code), province_id=school.school.province_id)
        issued_round(session, school, now)
        return school, session.exec(select(BillingRound.id)).one()


@pytest.fixture
def shop(
    billed: tuple[BillingSchool, UUID], database: Database, addresses: Addresses, vault: Vault, now: datetime
) -> Shop:
    settings = Settings.model_construct(secret=SecretStr(bytes(range(32)).hex()))
    rung: list[str] = []
    shop: Shop
    wiring = Wiring(settings, addresses, "", database, vault, lambda: now + shop.later, rung.append)
    shop = Shop(wiring, *billed, rung)
    return shop


def test_classes_are_printed_piece_by_piece_and_offered_when_all_are_there(shop: Shop) -> None:
    made = shop.ask()
    for count in range(3):
        state = shop.state()
        assert (state.standing, state.made, state.pieces) == (Standing.MAKING, count, 3)
        with pytest.raises(NotFound):
            shop.take(made)
        assert make_next(shop.wiring) == 1
    assert make_next(shop.wiring) is None
    assert (shop.state().standing, shop.state().slips) == (Standing.READY, 4)
    files = shop.take(made)
    assert list(files) == [f"{code}.pdf" for code in CLASSES]
    assert [sum(page.count("THÔNG BÁO THU") for page in words(pdf)) for pdf in files.values()] == [2, 1, 1]


def test_what_lies_in_the_database_is_sealed_and_cannot_be_swapped(shop: Shop) -> None:
    made = shop.ask()
    print_slips(shop.wiring)
    first, second, _ = shop.pieces()
    assert first.sealed
    assert b"%PDF" not in first.sealed
    with pytest.raises(DBAPIError, match="made once"), shop.wiring.database.transaction(EVERYTHING) as session:
        session.execute(update(SlipPiece).where(col(SlipPiece.place) == 1).values(sealed=first.sealed))
    assert second.sealed == shop.pieces()[1].sealed
    with pytest.raises(NotFound):
        shop.take(made, school=UUID(int=1))


def test_a_worker_killed_in_any_piece_leaves_what_was_whole(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    made = shop.ask()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    for whole in range(3):
        with monkeypatch.context() as patch:
            patch.setattr(PRESS, killed)
            with pytest.raises(KeyboardInterrupt):
                print_slips(shop.wiring)
        assert [piece.made_at is not None for piece in shop.pieces()] == [place < whole for place in range(3)]
        assert shop.state().standing is Standing.MAKING
        assert make_next(shop.wiring) == 1
    assert list(shop.take(made)) == [f"{code}.pdf" for code in CLASSES]


def test_the_database_offers_nothing_half(shop: Shop) -> None:
    shop.ask()
    make_next(shop.wiring)
    with pytest.raises(IntegrityError, match="not ready"), shop.wiring.database.transaction(EVERYTHING) as session:
        session.execute(update(SlipPrint).values(ready_at=shop.wiring.clock()))
    with pytest.raises(ProgrammingError, match="permission"), shop.wiring.database.transaction(EVERYTHING) as session:
        session.execute(text("UPDATE slip_prints SET expires_at = expires_at + interval '1 year'"))


def test_asking_again_while_it_is_printed_means_the_same_and_afterwards_a_new_one(shop: Shop) -> None:
    made = shop.ask()
    assert shop.ask() == made
    with ThreadPoolExecutor(2) as pool:
        asked = {pool.submit(shop.ask) for _ in range(4)}
    assert {each.result() for each in asked} == {made}
    assert print_slips(shop.wiring) == 3
    assert shop.ask() != made
    assert shop.state().standing is Standing.MAKING


def test_two_workers_make_no_piece_twice(shop: Shop) -> None:
    shop.ask()
    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(print_slips, [shop.wiring] * 2)) == 3
    assert shop.state().standing is Standing.READY


def test_a_fault_is_told_and_tried_again_with_what_was_done_kept(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.ask()
    make_next(shop.wiring)

    def stumbles(*_: object) -> None:
        raise KeyError("font")

    with monkeypatch.context() as patch:
        patch.setattr(PRESS, stumbles)
        assert print_slips(shop.wiring) == 0
    assert "Chưa có tệp nào để tải" in shop.state().trouble
    assert waiting(shop.wiring, TASK) is None, "put off"
    shop.ask()
    assert shop.state().trouble == ""
    assert print_slips(shop.wiring) == 2
    assert shop.state().standing is Standing.READY


def test_after_a_day_the_bytes_are_gone_and_the_link_says_so(shop: Shop) -> None:
    made = shop.ask()
    print_slips(shop.wiring)
    shop.later = KEPT
    assert shop.state().standing is Standing.EXPIRED
    with pytest.raises(NotFound, match="hết hạn"):
        shop.take(made)
    assert waiting(shop.wiring, TASK) is not None, "the sweeper finds it"
    assert print_slips(shop.wiring) == 1
    assert [piece.sealed for piece in shop.pieces()] == [None] * 3
    assert waiting(shop.wiring, TASK) is None
    assert shop.ask() != made


def test_a_print_that_was_never_finished_ends_with_its_day(shop: Shop) -> None:
    shop.ask()
    make_next(shop.wiring)
    shop.later = KEPT
    assert print_slips(shop.wiring) == 1
    with shop.wiring.database.transaction(EVERYTHING) as session:
        job = session.exec(select(Job).where(Job.kind == round_prints.KIND)).one()
    assert (job.state, job.last_error) == ("failed", EXPIRED)
    assert [piece.sealed for piece in shop.pieces()] == [None] * 3


def test_what_waits_is_found_and_a_long_print_rings_for_the_rest(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    assert waiting(shop.wiring, TASK) is None
    shop.ask()
    found = waiting(shop.wiring, TASK)
    assert found
    assert found.rows == 3
    assert MOST_PER_CALL >= 1
    monkeypatch.setattr(printing, "MOST_PER_CALL", 2)
    assert print_slips(shop.wiring) == 2
    assert shop.rung == [TASK]
    after = waiting(shop.wiring, TASK)
    assert after
    assert after.moved_on_from(found)


def test_paid_meanwhile_leaves_an_empty_piece(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    made = shop.ask()

    def paid(session: Session, billing_round: BillingRound, only: UUID) -> list[InClass]:
        return [each for each in classes_of(session, billing_round, only) if each.group.code != "1B"]

    monkeypatch.setattr("service.papers.round_prints.classes_of", paid)
    print_slips(shop.wiring)
    assert list(shop.take(made)) == ["1A.pdf", "1C.pdf"]
