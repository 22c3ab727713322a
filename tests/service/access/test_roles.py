from fastapi.routing import APIRoute

from service.access.roles import EVERYBODY, MATRIX, PARTS, ROLE_NAMES, ROLES, Actor, may
from service.access.tables import ROLES as STORED_ROLES
from service.api.document import ROUTERS as API_ROUTERS
from service.api.document import api_served
from service.web import ROUTERS, machine_served, served

MONEY_ACTS = {path for method, path in MATRIX if method != "GET" and path.startswith("/van-phong")}


def test_every_role_of_the_database_is_known_and_named() -> None:
    assert {role.value for role in ROLES} == set(STORED_ROLES)
    assert set(ROLE_NAMES) == ROLES


def test_the_matrix_has_just_the_routes_that_are_served_and_the_bank_door() -> None:
    assert set(MATRIX) == {*served(), *machine_served(), *api_served(), ("POST", "/callbacks/{feed}")}


def test_a_route_stands_in_one_part_of_the_matrix() -> None:
    assert sum(map(len, PARTS)) == len(MATRIX)


def test_no_route_takes_more_than_one_method() -> None:
    routes = [route for router in (*ROUTERS, *API_ROUTERS) for route in router.routes if isinstance(route, APIRoute)]
    assert all(len(route.methods or ()) == 1 for route in routes)


def test_an_unknown_route_is_denied_to_everybody() -> None:
    assert not any(may(actor, "GET", "/van-phong/khong-co") for actor in EVERYBODY)


def test_the_auditor_and_the_province_change_nothing() -> None:
    for actor in (Actor.AUDITOR, Actor.PROVINCE):
        acts = {path for (method, path), allowed in MATRIX.items() if method != "GET" and actor in allowed}
        own = {"/toi/khoa", "/toi/khoa/{token_id}/thu-hoi"}
        # Whoever sees a false account may stop it; that only takes something away.
        asked = {path for _, path in machine_served()}  # by banks, which prove themselves in the question
        stops = {"/van-phong/tai-khoan/{change_id}/dung"}
        assert acts <= {"/dang-nhap", "/dang-xuat", "/doi-mat-khau", "/callbacks/{feed}"} | own | stops | asked


def test_a_class_teacher_opens_nothing_but_the_own_roll() -> None:
    seen = {path for (_, path), allowed in MATRIX.items() if Actor.CLASS_TEACHER in allowed and allowed != EVERYBODY}
    roll = {"/lop-chu-nhiem", "/lop-chu-nhiem/{class_id}/ngay/{day}", "/lop-chu-nhiem/{class_id}/chot"}
    assert seen == {"/dang-xuat", "/doi-mat-khau", "/toi", *roll}


def test_the_administrator_sees_staff_and_no_pupil_and_no_money() -> None:
    seen = {path for (_, path), allowed in MATRIX.items() if Actor.ADMIN in allowed and allowed != EVERYBODY}
    staff = {path for path in seen if path.startswith("/nguoi-dung")}
    assert seen - staff == {"/dang-xuat", "/doi-mat-khau", "/toi"}


def test_whoever_decides_about_rights_may_ask_too_but_not_the_accountant_the_reverse() -> None:
    asks = MATRIX["POST", "/nguoi-dung"]
    decides = MATRIX["POST", "/nguoi-dung/yeu-cau/{request_id}/dong-y"]
    assert decides == {Actor.APPROVER, Actor.ADMIN}
    assert asks == decides | {Actor.ACCOUNTANT}


def test_nobody_may_both_submit_and_approve_a_round() -> None:
    submit = MATRIX[("POST", "/van-phong/dot-thu/{round_id}/trinh")]
    approve = MATRIX[("POST", "/van-phong/dot-thu/{round_id}/duyet")]
    assert submit
    assert approve
    assert not submit & approve


def test_what_the_api_lets_a_role_do_is_what_its_page_does() -> None:
    pages = {
        "/rounds/{round_id}/submit": "/dot-thu/{round_id}/trinh",
        "/rounds/{round_id}/approve": "/dot-thu/{round_id}/duyet",
        "/rounds/{round_id}/withdraw": "/dot-thu/{round_id}/huy",
        "/rounds/{round_id}/lock": "/dot-thu/{round_id}/khoa",
        "/rounds/{round_id}/unlock": "/dot-thu/{round_id}/mo-khoa",
        "/rounds/{round_id}/issue": "/dot-thu/{round_id}/thu-lai",
        "/rounds/{round_id}/supplementary": "/dot-thu/{round_id}/bo-sung",
        "/reductions/{reduction_id}/approve": "/mien-giam/{reduction_id}/duyet",
        "/reductions/{reduction_id}/withdraw": "/mien-giam/{reduction_id}/bo",
        "/reductions/{reduction_id}/end": "/mien-giam/{reduction_id}/ket-thuc",
        "/corrections/{correction_id}/approve": "/dieu-chinh/{correction_id}/duyet",
        "/corrections/{correction_id}/reject": "/dieu-chinh/{correction_id}/tu-choi",
        "/claims/{claim_id}/approve": "/ngan-sach/danh-sach/{claim_id}/duyet",
        "/claims/{claim_id}/withdraw": "/ngan-sach/danh-sach/{claim_id}/huy",
        "/claims/{claim_id}/payments": "/ngan-sach/danh-sach/{claim_id}/tien-ve",
        "/items/{code}/end": "/khoan-thu/{code}/dung",
    }
    for api, page in pages.items():
        assert MATRIX["POST", f"/api/v1/schools/{{school}}{api}"] == MATRIX["POST", f"/van-phong{page}"], api


def test_without_signing_in_only_these_pages_open() -> None:
    public = {path for (_, path), allowed in MATRIX.items() if Actor.ANONYMOUS in allowed}
    assert public == {
        "/",
        "/livez",
        "/readyz",
        "/robots.txt",
        "/static/{name}",
        "/dang-nhap",
        "/api/v1/openapi.json",
        "/cong-khai/{school_code}",
        "/the/{outcome}",
        "/sms/tin-bao/{key}",
        "/cong-khai/{school_code}.json",
        "/callbacks/{feed}",
        "/enquiries/{feed}/getbill",
        "/enquiries/{feed}/api/transactions/check-order",
    }
    assert MONEY_ACTS, "the office acts on money somewhere"
