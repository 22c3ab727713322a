"""Tests of buttons pressed twice at once: one press does it, the other is told so, and nothing is done twice."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from psycopg import errors as postgres

from billing.rounds import approving
from service.pages import faults
from tests.service.pages.test_office_rows import november, post, shown_digest
from tests.service.pages.worlds import World


def test_of_two_who_submit_a_round_at_once_the_slower_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    path, user = november(world), world.staff("accountant")
    clients = [world.signed_in(user), world.signed_in(user)]
    assert post(clients[0], path + "/xem-truoc") == 303
    digest = shown_digest(clients[0].get(path).text)
    both_are_there, submit = threading.Barrier(2, timeout=30), approving.submit_round

    def come_together(*told: object, **more: object) -> object:
        both_are_there.wait()
        return submit(*told, **more)  # type: ignore[arg-type]  # handed on as it came

    with monkeypatch.context() as patch, ThreadPoolExecutor(2) as pool:
        patch.setattr("service.pages.binding.submit_round", come_together)
        answers = list(pool.map(lambda client: post(client, path + "/trinh", digest=digest), clients))
    assert sorted(answers) == [303, 409]
    assert "Chờ duyệt" in clients[0].get(path).text


@pytest.mark.parametrize(
    ("cause", "told"),
    [
        (postgres.UniqueViolation(), True),
        (postgres.ExclusionViolation(), True),
        (postgres.CheckViolation(), False),
        (postgres.ForeignKeyViolation(), False),
        (None, False),
    ],
)
def test_other_refusals_of_the_database_stay_faults_of_ours(cause: Exception | None, told: bool) -> None:  # noqa: FBT001  a table
    assert faults._was_faster(cause) is told
