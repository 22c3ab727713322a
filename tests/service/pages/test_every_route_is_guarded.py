"""Every route × every actor over HTTP: the matrix is what really happens, and every answer is dressed."""

from __future__ import annotations

import dataclasses
import re
from urllib.parse import parse_qsl

import pytest
from starlette.testclient import TestClient

from service.access import csrf
from service.access.roles import EVERYBODY, MATRIX, ROLES, Actor
from service.access.sessions import digest
from service.web import assemble, served
from tests.service.pages.asking import Answer, Question, answers, ask_all, written
from tests.service.pages.conftest import sample_client, signed_in
from tests.service.pages.sample_bank_accounts import CHANGE_ID
from tests.service.pages.sample_cash import BOOK_ID, REVERSAL_ID, TAKING_ID
from tests.service.pages.sample_choices import OFFER_ID
from tests.service.pages.sample_claims import CLAIM_ID, SOME_ID
from tests.service.pages.sample_closing import ASK_ID
from tests.service.pages.sample_contracts import CONTRACT_ID, VERSION_ID
from tests.service.pages.sample_credits import LINE_ID, REFUND_ID
from tests.service.pages.sample_desk import SampleDesk, sample_parts
from tests.service.pages.sample_fees import CLASS_ID, ENROLMENT_ID, REDUCTION_ID
from tests.service.pages.sample_guardians import CODE_ID, REGISTRATION_ID
from tests.service.pages.sample_insurance import LIST_ID
from tests.service.pages.sample_money_out import PURPOSE_ID, TRANSFER_ID
from tests.service.pages.sample_moving import LEAVING_ID
from tests.service.pages.sample_newyear import IMPORT_ID, OPENING_ID
from tests.service.pages.sample_places import PLACE_ID
from tests.service.pages.sample_plans import PLAN_ID
from tests.service.pages.sample_refund_bulk import BATCH_ID
from tests.service.pages.sample_rounds import CORRECTION_ID, PRINT_ID, PUPIL_ID
from tests.service.pages.sample_staff import GRANT_ID, REQUEST_ID, USER_ID
from tests.service.pages.sample_till import COUNT_ID, DEPOSIT_ID, HANDOVER_ID
from tests.service.pages.sample_tokens import TOKEN_ID
from tests.service.pages.samples import FAMILY_PAGES, PASSWORD, ROUND_ID, SCHOOL, SECRET, TOKEN, UNKNOWN_TOKEN

ROUTES = sorted(set(served()))
DENIED = {401, 403, 404}
EXPECTED_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex, nofollow",
    "x-frame-options": "DENY",
}


def address(path: str, actor: Actor) -> str:
    """Return a real address of a route; only the holder of a link knows its token."""
    token = TOKEN if actor is Actor.PARENT_LINK else UNKNOWN_TOKEN
    known = {
        **({"name": "public-primary"} if "danh-muc" in path else {"name": "hocphi.css"}),
        "token": token,
        "number": "TL25-000123",
        "round_id": str(ROUND_ID),
        "code": "BANTRU",
        "class_id": str(CLASS_ID),
        "reduction_id": str(REDUCTION_ID),
        "claim_id": str(CLAIM_ID),
        **dict.fromkeys(("payment_id", "payout_id", "choice_id", "entitlement_id", "enrolment_id"), str(SOME_ID)),
        "refund_id": str(REFUND_ID),
        "batch_id": str(BATCH_ID),
        "layout": "csv",
        "line_id": str(LINE_ID),
        "leaving_id": str(LEAVING_ID),
        "pupil_id": str(PUPIL_ID),
        "correction_id": str(CORRECTION_ID),
        "kind": "danh-sach",
        "day": "2025-10-07",
        "code_id": str(CODE_ID),
        "registration_id": str(REGISTRATION_ID),
        "token_id": str(TOKEN_ID),
        "relief_id": str(SOME_ID),
        **dict.fromkeys(("reversal_id", "limit_id"), str(SOME_ID)),
        **dict.fromkeys(("transfer_id", "release_id", "feed_id"), str(SOME_ID)),
        "upload_id": str(SOME_ID),
        "user_id": str(USER_ID),
        "grant_id": str(GRANT_ID),
        "request_id": str(REQUEST_ID),
        "school_code": SCHOOL.code,
        "plan_id": str(PLAN_ID),
        "offer_id": str(OFFER_ID),
        "list_id": str(LIST_ID),
        "number_id": "7",
        "inbox_id": "7",
        "opening_id": str(OPENING_ID),
        "import_id": str(IMPORT_ID),
        "contract_id": str(CONTRACT_ID),
        "version_id": str(VERSION_ID),
        "paper_id": str(SOME_ID),
        "print_id": str(PRINT_ID),
        "change_id": str(CHANGE_ID),
        "place_id": str(PLACE_ID),
        "transfer_id": str(TRANSFER_ID),
        "purpose_id": str(PURPOSE_ID),
        **dict.fromkeys(("account_id", "switch_id", "checkout_id", "movement_id", "page_id"), str(SOME_ID)),
        "outcome": "xong",
        "taking_id": str(TAKING_ID),
        "reversal_id": str(REVERSAL_ID),
        "book_id": str(BOOK_ID),
        "count_id": str(COUNT_ID),
        **dict.fromkeys(("deposit_id", "tie_ask_id", "withdrawal_id"), str(DEPOSIT_ID)),
        "handover_id": str(HANDOVER_ID),
        "act_id": str(SOME_ID),
        "ask_id": str(ASK_ID),
        "key": "0" * 32,
    }
    return re.sub(r"{(\w+)}", lambda found: known[found[1]], path)


# What each form sends besides its token, whatever the route: fields that a route does not know are left alone.
FIELDS = dict(
    parse_qsl(
        "lien_lac=1&ho_ten=Mai&quan_he=mother&dong_y=1&digest=b7c1&old=x&new=x&khoa=main&tai_khoan=a1&ten=public-primary&ma=XE&nhom=agreed&don_vi=month&can_cu=TT"
        f"&ke_toan=531&so_tien=1000&tu=2025-10-01&den=2025-10-31&gia=7&ly_do=nham&so=0901234567&em={ENROLMENT_ID}&dien=HOCBONG"
        "&ngay=2025-10-01&ve_dau=treasury&chung_tu=LC1&nguoi_nhan=Mai&cach=cash&noi_nhan=school&so_quyet_dinh=12"
        "&minh_chung=so&phan_tram=30&so_ngay=30"
        f"&thang=2025-10&den_thang=2025-10&han=2025-10-20&khoan=TIENAN&thong_bao={CORRECTION_ID}&viec=void&dau=p&gio=08:00&lop=1&giao_vien=2"
        f"&chon={OFFER_ID}:ab&giao_dich={SOME_ID}"
    )
) | {"mat_khau": PASSWORD}
WITH_FILE = (
    "/khong-thu",
    "/van-phong/sao-ke",
    "{kind}",
    "/xem",
    "/bang",
    "{plan_id}/tep",
    "{plan_id}/duyet",
    "{contract_id}/ky",
)


def called(client: TestClient, method: str, path: str, actor: Actor) -> Question:
    """Return how a person would call a route: with the form's own token where there is a session."""
    data = dict(FIELDS)
    cookie = client.cookies.get("hocphi")
    if cookie:
        data["csrf"] = csrf.make_token(SECRET, digest(cookie))
    elif actor is Actor.PARENT_LINK:
        data["csrf"] = csrf.make_token(SECRET, client.cookies["hocphi-visitor"].encode())
    files = {"tep": b"{}"} if path.endswith(WITH_FILE) else None
    return written(client, method, address(path, actor), data=data if method == "POST" else None, files=files)


def status_of(answer: Answer, path: str) -> int:
    """Return the status; who is sent to the sign-in was not let in."""
    sent_away = answer.status == 303 and answer.headers["location"].startswith("/dang-nhap")
    return 401 if sent_away and path != "/dang-xuat" else answer.status


@pytest.fixture
def clients(client: TestClient, desk: SampleDesk) -> dict[Actor, TestClient]:
    """One client for each actor."""
    payable = dataclasses.replace(FAMILY_PAGES["part_paid"], receipts=FAMILY_PAGES["receipted"].receipts)
    desk.family = dict.fromkeys(desk.family, payable)
    family = sample_client(desk)
    family.get("/t/" + TOKEN + "/chi-tiet")  # a form is bound to the browser that opened it
    made = {Actor.ANONYMOUS: client, Actor.PARENT_LINK: family}
    for role in ROLES:
        made[role] = signed_in(sample_client(desk, client.app), desk, role.value)
    return made


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=[f"{method} {path}" for method, path in ROUTES])
def test_the_matrix_is_what_happens(clients: dict[Actor, TestClient], method: str, path: str) -> None:
    for actor in EVERYBODY:
        (answer,) = answers(clients[actor], [called(clients[actor], method, path, actor)])
        status = status_of(answer, path)
        allowed = actor in MATRIX[(method, path)]
        if (method, path) == ("POST", "/dang-nhap"):
            # A family's browser has a form's token of its own: let through, but the password is wrong.
            wanted = 401 if actor is Actor.PARENT_LINK else 403
            assert status == wanted, "a sign-in without the form's own token"
        elif (method, path) == ("POST", "/doi-mat-khau") and allowed:
            assert status == 401, "let in, but the old password is wrong"
        elif allowed:
            assert status in {200, 303}, (actor, status)
        else:
            assert status in DENIED, (actor, status)


@pytest.mark.parametrize(("method", "path"), [route for route in ROUTES if route[0] == "POST"], ids=str)
def test_no_unsafe_route_works_without_the_token_or_from_another_site(
    clients: dict[Actor, TestClient], desk: SampleDesk, method: str, path: str
) -> None:
    for actor in ROLES:
        client, where = clients[actor], address(path, actor)
        files = {"tep": b"{}"} if path.endswith(WITH_FILE) else None
        cookie = client.cookies.get("hocphi")
        assert cookie
        token = csrf.make_token(SECRET, digest(cookie))
        without = written(client, method, where, data=FIELDS, files=files)
        own = written(client, method, where, data={"csrf": token, **FIELDS}, files=files)
        from_elsewhere = [
            dataclasses.replace(own, headers={**own.headers, **more})
            for more in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"})
        ]
        assert [answer.status for answer in answers(client, [without, *from_elsewhere])] == [403] * 3
    assert desk.done == []
    assert len(desk.sessions) == len(ROLES), "nobody was signed out"


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "TRACE", "OPTIONS", "HEAD"])
@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_every_answer_of_every_route_is_dressed(clients: dict[Actor, TestClient], method: str, accept: str) -> None:
    paths = sorted({path for _, path in ROUTES} | {"/khong-co", "/callbacks/x", "/docs", "/openapi.json", "/metrics"})
    for actor in (Actor.ANONYMOUS, Actor.ACCOUNTANT):
        client = clients[actor]
        cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        headers = {"host": "testserver", "accept": accept, "cookie": cookies}
        assert client.portal
        answers = client.portal.call(ask_all, client.app, method, [address(path, actor) for path in paths], headers)
        for path, answer in zip(paths, answers, strict=True):
            assert EXPECTED_HEADERS.items() <= answer.headers.items(), (method, path)
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"])
            kept = path.startswith(("/static/", "/cong-khai/")) and answer.status == 200
            assert ("no-store" in answer.headers["cache-control"]) != kept, (method, path)


def test_what_production_adds(desk: SampleDesk) -> None:
    client = TestClient(assemble(sample_parts(desk, production=True)), headers={"accept": "text/html"})
    for path in ("/", "/khong-co", "/livez", "/callbacks/x"):
        assert client.get(path).headers["strict-transport-security"].startswith("max-age=63072000")
    cookie = client.get("/dang-nhap").headers["set-cookie"]
    assert cookie.startswith("__Host-")
    assert "Secure" in cookie


def test_an_error_inside_is_a_dressed_500_without_its_text(client: TestClient, desk: SampleDesk) -> None:
    desk.fail_commit = True
    answer = client.get("/t/" + TOKEN)
    assert answer.status_code == 500
    assert "the commit broke" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-request-id"][:12] in answer.text


def test_nothing_of_the_framework_is_served(client: TestClient) -> None:
    for path in ("/docs", "/redoc", "/openapi.json", "/metrics", "/static/../web.py", "/static/base.html"):
        assert client.get(path).status_code == 404


def test_forged_proxy_headers_have_no_effect(client: TestClient, desk: SampleDesk) -> None:
    forged = {"x-forwarded-for": "203.0.113.9", "x-forwarded-host": "evil.example", "forwarded": "for=203.0.113.9"}
    page = client.get("/t/" + TOKEN, headers=forged).text
    assert "evil.example" not in page
    assert {caller.address for caller in desk.callers} == {"testclient"}


def test_guessing_links_is_stopped(client: TestClient) -> None:
    statuses = [client.get(f"/t/{number:022d}").status_code for number in range(25)]
    assert statuses == [404] * 20 + [429] * 5
    assert client.get("/t/" + TOKEN).status_code == 429, "also a lucky guess"


def test_five_wrong_passwords_from_one_address_and_it_waits(client: TestClient, desk: SampleDesk) -> None:
    page = client.get("/dang-nhap").text
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', page)
    assert found
    wrong = {"csrf": found[1], "login": "accountant", "password": "sai"}
    statuses = [client.post("/dang-nhap", data=wrong).status_code for _ in range(6)]
    assert statuses == [401] * 5 + [429]
    answer = client.post("/dang-nhap", data={**wrong, "password": "mèo con ngủ trên mái nhà"})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 600
    assert desk.sessions == {}
