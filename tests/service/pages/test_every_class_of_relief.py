"""Every class of reduction that the law or a school's own rules know, entered, approved and seen in the office."""

from __future__ import annotations

import re

import pytest
from sqlmodel import Session, col, select

from billing.fees.kinds import shipped_kinds
from billing.fees.tables import Reduction
from billing.money import Money
from billing.vault import Vault
from service.database import Database
from service.preparing import Addresses
from tests.conftest import TestServers
from tests.factories.schools import MADE_AT
from tests.service.pages.fresh import NAMES, Fresh, fresh_school, roster
from tests.service.pages.test_fee_pages import FROM, hand_in, load, post
from tests.service.pages.test_round_pages import NEW, WEEKDAYS, pupil_path
from tests.standing import standing

TUITION = Money(2_500_000)
WHOLE = 100
STATE, SCHOOL, DONOR = "Nhà nước", "Nhà trường", "Nhà tài trợ"
# Class, the share as it is typed (empty: the class says it), who pays it, percent.
CLASSES = (
    ("NCC", "", STATE, 100),
    ("TNLD", "", STATE, 50),
    ("ANHCHIEM", "", SCHOOL, 10),
    ("CANAM", "", SCHOOL, 5),
    ("NUANAM", "", SCHOOL, 3),
    ("QUY", "", SCHOOL, 3),
    ("CONCBNV", "", SCHOOL, 50),
    ("TRUONGGIAM", "40", SCHOOL, 40),
    ("HOCBONG", "24", DONOR, 24),
    ("NHAHAOTAM", "70", DONOR, 70),
)
CHILDREN = [f"{name} {code}" for code in ("1A", "1B") for name in NAMES]


@pytest.fixture
@standing
def private(database: Database, addresses: Addresses, vault: Vault, servers: TestServers) -> Fresh:
    """A private school on its first day."""
    return fresh_school(database, addresses, vault, servers, kind="private")


def withdraw_the_rule(session: Session) -> None:
    """Let the school's own rule for everybody be given up, so that a person enters the class."""
    rule = session.exec(
        select(Reduction).where(Reduction.reason_class == "ANHCHIEM", col(Reduction.enrolment_id).is_(None))
    ).one()
    rule.withdrawn_at = MADE_AT
    session.add(rule)
    session.flush()


def test_each_class_is_offered_entered_approved_and_explained_with_payer_and_share(private: Fresh) -> None:
    client, approver = private.client(private.accountant), private.client(private.approver)
    assert load(private, client, ten="private-school")[0] == 200
    assert hand_in(client, "/van-phong/tai-len/danh-sach", roster(), cho="2025-2026", viec="nhap")[0] == 200
    given = dict(zip(CHILDREN, CLASSES, strict=False))
    assert len(given) == len(CLASSES)
    for child, (kind, typed, _, _) in given.items():
        [pupil] = re.findall(r"em=([0-9a-f-]{36})", client.get("/van-phong/mien-giam/moi", params={"q": child}).text)
        form = client.get("/van-phong/mien-giam/moi", params={"em": pupil}).text
        assert f'<option value="{kind}">' in form
        fields = {"em": pupil, "dien": kind, "tu": FROM, "ty_le": typed, "minh_chung": f"Giấy của {kind}"}
        if kind == "ANHCHIEM":
            status, text = post(client, "/van-phong/mien-giam/moi", **fields)
            assert (status, "quy định chung" in text) == (409, True), "the school gives it to everybody by itself"
            private.read(withdraw_the_rule)
        status, text = post(client, "/van-phong/mien-giam/moi", **fields)
        assert status == 200, (kind, text)
    waiting = set(re.findall(r"/van-phong/mien-giam/([0-9a-f-]{36})", client.get("/van-phong/mien-giam").text))
    assert len(waiting) == len(CLASSES)
    for reduction in waiting:
        assert post(approver, f"/van-phong/mien-giam/{reduction}/duyet")[0] == 200
    status, text = post(client, "/van-phong/dot-thu", ngay_an=WEEKDAYS, **NEW)
    assert status == 200, text
    found = re.search(r"/van-phong/dot-thu/([0-9a-f-]{36})/trinh", text)
    assert found
    path = f"/van-phong/dot-thu/{found[1]}"
    for child, (kind, _, payer, percent) in given.items():
        seen = client.get(pupil_path(client, path, child)).text
        share = TUITION.percent(percent)
        left = f"Gia đình nộp {TUITION - share}" if percent < WHOLE else "Gia đình không phải nộp"
        for said in (f"{payer} chịu {percent} %: {share}", f"Giấy của {kind}", left):
            assert said in seen, (kind, said)


def test_no_class_that_is_in_force_is_left_out_of_the_story_above() -> None:
    in_force = {kind.code for kind in shipped_kinds() if kind.valid.end is None and not kind.by_law}
    assert in_force == {kind for kind, *_ in CLASSES}
