"""Who may do what (pure): the actors, and one row for every route of the web."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Actor(StrEnum):
    """Everybody who can knock: seven roles of staff, the holder of a payment link, and anybody."""

    ACCOUNTANT = "accountant"
    APPROVER = "approver"
    CASHIER = "cashier"
    AUDITOR = "auditor"
    CLASS_TEACHER = "class_teacher"
    PROVINCE = "province"
    ADMIN = "admin"
    PARENT_LINK = "parent_link"
    ANONYMOUS = "anonymous"


ROLES = frozenset(Actor) - {Actor.PARENT_LINK, Actor.ANONYMOUS}

ROLE_NAMES: Mapping[Actor, tuple[str, str]] = MappingProxyType(
    {
        Actor.ACCOUNTANT: ("Kế toán", "Accountant"),
        Actor.APPROVER: ("Người duyệt", "Approver"),
        Actor.CASHIER: ("Thủ quỹ", "Cashier"),
        Actor.AUDITOR: ("Kiểm toán", "Auditor"),
        Actor.CLASS_TEACHER: ("Giáo viên chủ nhiệm", "Class teacher"),
        Actor.PROVINCE: ("Cấp tỉnh", "Province"),
        Actor.ADMIN: ("Quản trị hệ thống", "System administrator"),
    }
)


@dataclass(frozen=True, slots=True)
class Place:
    """A school or an authority in which a role holds; ``code`` is what stands in addresses."""

    id: uuid.UUID
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Grant:
    """A role in one place, valid today."""

    role: Actor
    place: Place


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The person behind a session, with the grants that hold today."""

    user_id: uuid.UUID
    name: str
    login: str
    session_digest: bytes
    grants: tuple[Grant, ...]
    must_change_password: bool = False

    @property
    def roles(self) -> frozenset[Actor]:
        """All roles, in whatever place."""
        return frozenset(grant.role for grant in self.grants)

    def places(self, roles: frozenset[Actor]) -> tuple[Place, ...]:
        """Return the places in which one of the roles holds, without repeats, in the order granted."""
        return tuple(dict.fromkeys(grant.place for grant in self.grants if grant.role in roles))

    def roles_in(self, place: Place) -> frozenset[Actor]:
        """Return the roles that hold in one place."""
        return frozenset(grant.role for grant in self.grants if grant.place == place)


EVERYBODY = frozenset(Actor)
_STAFF = ROLES
_LINK = frozenset({Actor.PARENT_LINK})
_OFFICE_READS = frozenset({Actor.ACCOUNTANT, Actor.APPROVER, Actor.AUDITOR})
_MAKERS = frozenset({Actor.ACCOUNTANT})
_CHECKERS = frozenset({Actor.APPROVER})
_CASHIER = frozenset({Actor.CASHIER})
_PROVINCE = frozenset({Actor.PROVINCE})
_TEACHERS = frozenset({Actor.CLASS_TEACHER})
# Who asks for rights of others, and who decides about them; the administrator sees staff there, no pupil or money.
_STAFF_ASKERS = frozenset({Actor.ACCOUNTANT, Actor.APPROVER, Actor.ADMIN})
_STAFF_DECIDERS = frozenset({Actor.APPROVER, Actor.ADMIN})

# Every route × every actor. A route that is missing here does not start (service/web.py), and a test
# calls each route as each actor. Where a link's holder is named, the token in the address is the key.
MATRIX: Mapping[tuple[str, str], frozenset[Actor]] = MappingProxyType(
    {
        ("GET", "/"): EVERYBODY,
        ("GET", "/livez"): EVERYBODY,
        ("GET", "/readyz"): EVERYBODY,
        ("GET", "/robots.txt"): EVERYBODY,
        ("GET", "/static/{name}"): EVERYBODY,
        ("GET", "/dang-nhap"): EVERYBODY,
        ("GET", "/cong-khai/{school_code}"): EVERYBODY,
        ("GET", "/cong-khai/{school_code}.json"): EVERYBODY,
        ("POST", "/dang-nhap"): EVERYBODY,
        ("POST", "/dang-xuat"): _STAFF,
        ("GET", "/toi"): _STAFF,
        ("POST", "/toi/khoa"): _OFFICE_READS,
        ("POST", "/toi/khoa/{token_id}/thu-hoi"): _OFFICE_READS,
        ("GET", "/doi-mat-khau"): _STAFF,
        ("POST", "/doi-mat-khau"): _STAFF,
        ("GET", "/nguoi-dung"): _STAFF_ASKERS | {Actor.AUDITOR},
        ("POST", "/nguoi-dung"): _STAFF_ASKERS,
        ("POST", "/nguoi-dung/{user_id}/mat-khau"): _STAFF_ASKERS,
        ("POST", "/nguoi-dung/yeu-cau/{request_id}/dong-y"): _STAFF_DECIDERS,
        ("POST", "/nguoi-dung/yeu-cau/{request_id}/tu-choi"): _STAFF_ASKERS,
        ("POST", "/nguoi-dung/vai-tro/{grant_id}/ket-thuc"): _STAFF_DECIDERS,
        ("POST", "/nguoi-dung/{user_id}/dang-xuat"): _STAFF_DECIDERS,
        ("GET", "/t/{token}"): _LINK,
        ("GET", "/t/{token}/status"): _LINK,
        ("GET", "/t/{token}/qr.png"): _LINK,
        ("GET", "/t/{token}/bien-lai/{number}.pdf"): _LINK,
        ("GET", "/t/{token}/chi-tiet"): _LINK,
        ("POST", "/t/{token}/ma"): _LINK,
        ("GET", "/t/{token}/ma/{code_id}"): _LINK,
        ("POST", "/t/{token}/ma/{code_id}"): _LINK,
        ("POST", "/t/{token}/dong-phien"): _LINK,
        ("POST", "/t/{token}/thoi-nhan"): _LINK,
        ("GET", "/t/{token}/dang-ky"): _LINK,
        ("POST", "/t/{token}/dang-ky"): _LINK,
        ("POST", "/t/{token}/dang-ky/thoi"): _LINK,
        ("GET", "/dk/{token}"): _LINK,
        ("POST", "/dk/{token}"): _LINK,
        ("GET", "/dk/{token}/ma/{code_id}"): _LINK,
        ("POST", "/dk/{token}/ma/{code_id}"): _LINK,
        ("GET", "/van-phong"): _OFFICE_READS,
        ("GET", "/van-phong/thong-bao"): _OFFICE_READS,
        ("GET", "/van-phong/cho-xu-ly"): _OFFICE_READS,
        ("GET", "/van-phong/su-co"): _OFFICE_READS,
        ("GET", "/van-phong/dot-thu"): _OFFICE_READS,
        ("GET", "/van-phong/dot-thu/moi"): _MAKERS,
        ("POST", "/van-phong/dot-thu/nguong"): _CHECKERS,
        ("POST", "/van-phong/dot-thu"): _MAKERS,
        ("GET", "/van-phong/dot-thu/{round_id}/hoc-sinh"): _OFFICE_READS,
        ("GET", "/van-phong/dot-thu/{round_id}/hoc-sinh/{pupil_id}"): _OFFICE_READS,
        ("POST", "/van-phong/dot-thu/{round_id}/huy"): _MAKERS | _CHECKERS,
        ("POST", "/van-phong/dot-thu/{round_id}/bo-sung"): _MAKERS,
        ("POST", "/van-phong/dot-thu/{round_id}/khoa"): _MAKERS | _CHECKERS,
        ("POST", "/van-phong/dot-thu/{round_id}/mo-khoa"): _CHECKERS,
        ("POST", "/van-phong/dot-thu/{round_id}/ha-gia"): _MAKERS,
        ("GET", "/van-phong/dot-thu/{round_id}/giay-bao"): _OFFICE_READS,
        ("GET", "/van-phong/dot-thu/{round_id}/giay-bao/{class_id}.pdf"): _MAKERS | _CHECKERS,
        ("GET", "/van-phong/dot-thu/{round_id}/giay-bao.zip"): _MAKERS | _CHECKERS,
        ("GET", "/van-phong/dot-thu/{round_id}/danh-sach-bao"): _OFFICE_READS,
        ("GET", "/van-phong/dieu-chinh"): _OFFICE_READS,
        ("POST", "/van-phong/dieu-chinh"): _MAKERS,
        ("GET", "/van-phong/dieu-chinh/{correction_id}"): _OFFICE_READS,
        ("POST", "/van-phong/dieu-chinh/{correction_id}/duyet"): _CHECKERS,
        ("POST", "/van-phong/dieu-chinh/{correction_id}/tu-choi"): _MAKERS | _CHECKERS,
        ("GET", "/van-phong/dot-thu/{round_id}"): _OFFICE_READS,
        ("POST", "/van-phong/dot-thu/{round_id}/xem-truoc"): _MAKERS,
        ("POST", "/van-phong/dot-thu/{round_id}/trinh"): _MAKERS,
        ("POST", "/van-phong/dot-thu/{round_id}/duyet"): _CHECKERS,
        ("POST", "/van-phong/dot-thu/{round_id}/thu-lai"): _MAKERS | _CHECKERS,
        ("GET", "/lop-chu-nhiem"): _TEACHERS,
        ("POST", "/lop-chu-nhiem/{class_id}/ngay/{day}"): _TEACHERS,
        ("POST", "/lop-chu-nhiem/{class_id}/chot"): _TEACHERS,
        ("GET", "/van-phong/diem-danh"): _OFFICE_READS,
        ("POST", "/van-phong/diem-danh/lop/{class_id}/chot"): _MAKERS,
        ("GET", "/van-phong/diem-danh/lop/{class_id}"): _OFFICE_READS,
        ("POST", "/van-phong/diem-danh/lop/{class_id}"): _MAKERS,
        ("GET", "/van-phong/diem-danh/lop/{class_id}/bang.xlsx"): _MAKERS,
        ("POST", "/van-phong/diem-danh/lop/{class_id}/bang"): _MAKERS,
        ("GET", "/van-phong/diem-danh/ngay-nghi"): _OFFICE_READS,
        ("POST", "/van-phong/diem-danh/ngay-nghi"): _MAKERS,
        ("POST", "/van-phong/diem-danh/ngay-nghi/bo"): _MAKERS,
        ("POST", "/van-phong/diem-danh/gio-bao"): _MAKERS,
        ("GET", "/van-phong/diem-danh/giao-vien"): _OFFICE_READS,
        ("POST", "/van-phong/diem-danh/giao-vien"): _MAKERS,
        ("POST", "/van-phong/diem-danh/giao-vien/thoi"): _MAKERS,
        ("GET", "/van-phong/suat-an"): _MAKERS | _CHECKERS | _CASHIER,
        ("GET", "/van-phong/dot-thu/{round_id}/quyet-toan"): _OFFICE_READS,
        ("POST", "/van-phong/dot-thu/{round_id}/quyet-toan"): _MAKERS,
        ("GET", "/van-phong/khoan-thu"): _OFFICE_READS,
        ("GET", "/van-phong/khoan-thu/danh-muc"): _MAKERS,
        ("GET", "/van-phong/khoan-thu/danh-muc/{name}"): _MAKERS,
        ("GET", "/van-phong/khoan-thu/danh-muc/{name}/tep.json"): _MAKERS,
        ("POST", "/van-phong/khoan-thu/danh-muc/xem"): _MAKERS,
        ("POST", "/van-phong/khoan-thu/danh-muc"): _MAKERS,
        ("GET", "/van-phong/khoan-thu/them"): _MAKERS,
        ("POST", "/van-phong/khoan-thu/them"): _MAKERS,
        ("GET", "/van-phong/khoan-thu/{code}"): _OFFICE_READS,
        ("POST", "/van-phong/khoan-thu/{code}/gia"): _MAKERS,
        ("POST", "/van-phong/khoan-thu/{code}/bo-gia"): _MAKERS,
        ("POST", "/van-phong/khoan-thu/{code}/sua"): _MAKERS,
        ("POST", "/van-phong/khoan-thu/{code}/dung"): _MAKERS,
        ("GET", "/van-phong/ke-hoach-thu"): _OFFICE_READS,
        ("POST", "/van-phong/ke-hoach-thu"): _MAKERS,
        ("POST", "/van-phong/ke-hoach-thu/bat-buoc"): _CHECKERS,
        ("GET", "/van-phong/ke-hoach-thu/moi"): _MAKERS,
        ("GET", "/van-phong/ke-hoach-thu/{plan_id}"): _OFFICE_READS,
        ("POST", "/van-phong/ke-hoach-thu/{plan_id}/tep"): _MAKERS,
        ("GET", "/van-phong/ke-hoach-thu/{plan_id}/tep/{paper_id}"): _OFFICE_READS,
        ("POST", "/van-phong/ke-hoach-thu/{plan_id}/trinh"): _MAKERS,
        ("POST", "/van-phong/ke-hoach-thu/{plan_id}/duyet"): _CHECKERS,
        ("POST", "/van-phong/ke-hoach-thu/{plan_id}/tra-lai"): _CHECKERS,
        ("GET", "/van-phong/dang-ky"): _OFFICE_READS,
        ("POST", "/van-phong/dang-ky"): _MAKERS,
        ("GET", "/van-phong/dang-ky/dot"): _OFFICE_READS,
        ("POST", "/van-phong/dang-ky/dot"): _MAKERS,
        ("GET", "/van-phong/dang-ky/dot/lan/{offer_id}"): _OFFICE_READS,
        ("POST", "/van-phong/dang-ky/dot/lan/{offer_id}/dong"): _MAKERS,
        ("POST", "/van-phong/dang-ky/dot/lan/{offer_id}/tu-choi"): _MAKERS,
        ("GET", "/van-phong/dang-ky/{code}/{class_id}"): _OFFICE_READS,
        ("POST", "/van-phong/dang-ky/{code}/{class_id}"): _MAKERS,
        ("GET", "/van-phong/mien-giam"): _OFFICE_READS,
        ("GET", "/van-phong/mien-giam/moi"): _MAKERS,
        ("POST", "/van-phong/mien-giam/moi"): _MAKERS,
        ("GET", "/van-phong/mien-giam/{reduction_id}"): _OFFICE_READS,
        ("POST", "/van-phong/mien-giam/{reduction_id}/duyet"): _CHECKERS,
        ("POST", "/van-phong/mien-giam/{reduction_id}/bo"): _MAKERS | _CHECKERS,
        ("POST", "/van-phong/mien-giam/{reduction_id}/ket-thuc"): _MAKERS,
        ("GET", "/van-phong/tien-ton"): _OFFICE_READS,
        ("GET", "/van-phong/tien-ton.xlsx"): _OFFICE_READS,
        ("GET", "/van-phong/tien-ton/hoc-sinh/{pupil_id}"): _OFFICE_READS,
        ("POST", "/van-phong/tien-ton/tru"): _MAKERS,
        ("POST", "/van-phong/tien-ton/hoan"): _MAKERS,
        ("GET", "/van-phong/chuyen-di"): _OFFICE_READS,
        ("GET", "/van-phong/chuyen-di/hoc-sinh/{enrolment_id}"): _OFFICE_READS,
        ("POST", "/van-phong/chuyen-di/hoc-sinh/{enrolment_id}/nghi"): _MAKERS,
        ("POST", "/van-phong/chuyen-di/hoc-sinh/{enrolment_id}/doi-lop"): _MAKERS,
        ("GET", "/van-phong/chuyen-di/lan/{leaving_id}"): _OFFICE_READS,
        ("POST", "/van-phong/chuyen-di/lan/{leaving_id}/tinh"): _MAKERS,
        ("POST", "/van-phong/chuyen-di/lan/{leaving_id}/rut-lai"): _MAKERS,
        ("GET", "/van-phong/bhyt"): _OFFICE_READS,
        ("POST", "/van-phong/bhyt/mo"): _MAKERS,
        ("GET", "/van-phong/bhyt/lop/{class_id}"): _OFFICE_READS,
        ("POST", "/van-phong/bhyt/lop/{class_id}"): _MAKERS,
        ("GET", "/van-phong/bhyt/hoc-sinh/{pupil_id}"): _MAKERS | _CHECKERS,
        ("POST", "/van-phong/bhyt/hoc-sinh/{pupil_id}"): _MAKERS,
        ("POST", "/van-phong/bhyt/hoc-sinh/{pupil_id}/trung"): _MAKERS,
        ("POST", "/van-phong/bhyt/hoc-sinh/{pupil_id}/hoan"): _MAKERS,
        ("GET", "/van-phong/bhyt/danh-sach"): _OFFICE_READS,
        ("POST", "/van-phong/bhyt/danh-sach"): _MAKERS,
        ("GET", "/van-phong/bhyt/danh-sach/{list_id}"): _OFFICE_READS,
        ("GET", "/van-phong/bhyt/danh-sach/{list_id}/tep.xlsx"): _MAKERS | _CHECKERS,
        ("POST", "/van-phong/bhyt/chuyen-tien"): _MAKERS,
        ("POST", "/van-phong/bhyt/chuyen-tien/{payout_id}/duyet"): _CHECKERS,
        ("POST", "/van-phong/bhyt/chuyen-tien/{payout_id}/tu-choi"): _MAKERS | _CHECKERS,
        ("POST", "/van-phong/bhyt/chuyen-tien/{payout_id}/huy"): _CHECKERS,
        ("GET", "/van-phong/cuoi-cap"): _OFFICE_READS,
        ("POST", "/van-phong/cuoi-cap"): _MAKERS,
        ("GET", "/van-phong/nam-hoc-moi"): _OFFICE_READS,
        ("GET", "/van-phong/nam-hoc-moi/khoan-thu"): _OFFICE_READS,
        ("POST", "/van-phong/nam-hoc-moi/khoan-thu"): _MAKERS,
        ("GET", "/van-phong/nam-hoc-moi/lop"): _OFFICE_READS,
        ("POST", "/van-phong/nam-hoc-moi/lop"): _MAKERS,
        ("GET", "/van-phong/nam-hoc-moi/len-lop"): _OFFICE_READS,
        ("POST", "/van-phong/nam-hoc-moi/len-lop"): _MAKERS,
        ("POST", "/van-phong/nam-hoc-moi/len-lop/thuong-le"): _MAKERS,
        ("GET", "/van-phong/nam-hoc-moi/len-lop/danh-sach.xlsx"): _MAKERS,
        ("POST", "/van-phong/nam-hoc-moi/len-lop/bang"): _MAKERS,
        ("POST", "/van-phong/nam-hoc-moi/len-lop/thuc-hien"): _MAKERS,
        ("GET", "/van-phong/nam-hoc-moi/tiep-noi"): _OFFICE_READS,
        ("POST", "/van-phong/nam-hoc-moi/tiep-noi"): _MAKERS,
        ("GET", "/van-phong/nam-hoc-moi/so-du"): _OFFICE_READS,
        ("POST", "/van-phong/nam-hoc-moi/so-du"): _MAKERS,
        ("POST", "/van-phong/nam-hoc-moi/so-du/{opening_id}/ky"): _CHECKERS,
        ("GET", "/van-phong/nam-hoc-moi/so-du/{opening_id}/danh-sach.xlsx"): _OFFICE_READS,
        ("GET", "/van-phong/phan-mem-cu"): _OFFICE_READS,
        ("GET", "/van-phong/phan-mem-cu/mau.xlsx"): _MAKERS,
        ("POST", "/van-phong/phan-mem-cu/bang"): _MAKERS,
        ("GET", "/van-phong/phan-mem-cu/{import_id}"): _OFFICE_READS,
        ("POST", "/van-phong/phan-mem-cu/{import_id}/duyet"): _CHECKERS,
        ("POST", "/van-phong/phan-mem-cu/{import_id}/tu-choi"): _MAKERS | _CHECKERS,
        ("GET", "/van-phong/gia-han"): _OFFICE_READS,
        ("GET", "/van-phong/gia-han/hoc-sinh/{pupil_id}"): _OFFICE_READS,
        ("POST", "/van-phong/gia-han/hoc-sinh/{pupil_id}/gia-han"): _MAKERS,
        ("POST", "/van-phong/gia-han/hoc-sinh/{pupil_id}/khong-thu"): _MAKERS,
        ("POST", "/van-phong/gia-han/{relief_id}/duyet"): _CHECKERS,
        ("POST", "/van-phong/gia-han/{relief_id}/tu-choi"): _MAKERS | _CHECKERS,
        ("POST", "/van-phong/gia-han/{relief_id}/thoi"): _CHECKERS,
        ("GET", "/van-phong/gia-han/tep/{paper_id}"): _OFFICE_READS,
        ("GET", "/van-phong/hoan-tien"): _OFFICE_READS | _CASHIER,
        ("POST", "/van-phong/hoan-tien"): _MAKERS,
        ("GET", "/van-phong/hoan-tien/{refund_id}"): _OFFICE_READS | _CASHIER,
        ("POST", "/van-phong/hoan-tien/{refund_id}/duyet"): _CHECKERS,
        ("POST", "/van-phong/hoan-tien/{refund_id}/tu-choi"): _MAKERS | _CHECKERS,
        ("GET", "/van-phong/hoan-tien/{refund_id}/danh-sach.xlsx"): _MAKERS | _CASHIER,
        ("POST", "/van-phong/hoan-tien/{refund_id}/dong/{line_id}/chi"): _CASHIER,
        ("POST", "/van-phong/hoan-tien/{refund_id}/dong/{line_id}/da-chuyen"): _MAKERS,
        ("POST", "/van-phong/hoan-tien/{refund_id}/dong/{line_id}/huy-chi"): _MAKERS | _CASHIER,
        ("POST", "/van-phong/hoan-tien/{refund_id}/dong/{line_id}/rut-lai"): _MAKERS,
        ("GET", "/van-phong/ngan-sach"): _OFFICE_READS,
        ("POST", "/van-phong/ngan-sach/danh-sach"): _MAKERS,
        ("GET", "/van-phong/ngan-sach/danh-sach/{claim_id}"): _OFFICE_READS,
        ("POST", "/van-phong/ngan-sach/danh-sach/{claim_id}/tinh"): _MAKERS,
        ("POST", "/van-phong/ngan-sach/danh-sach/{claim_id}/trinh"): _MAKERS,
        ("POST", "/van-phong/ngan-sach/danh-sach/{claim_id}/duyet"): _CHECKERS,
        ("POST", "/van-phong/ngan-sach/danh-sach/{claim_id}/gui"): _MAKERS,
        ("POST", "/van-phong/ngan-sach/danh-sach/{claim_id}/huy"): _MAKERS | _CHECKERS,
        ("GET", "/van-phong/ngan-sach/danh-sach/{claim_id}/danh-sach.xlsx"): _OFFICE_READS,
        ("POST", "/van-phong/ngan-sach/danh-sach/{claim_id}/tien-ve"): _MAKERS,
        ("POST", "/van-phong/ngan-sach/danh-sach/{claim_id}/tien-ve/{payment_id}/dao"): _MAKERS,
        ("GET", "/van-phong/ngan-sach/chi-tra"): _CASHIER,
        ("GET", "/van-phong/ngan-sach/danh-sach/{claim_id}/chi-tra"): _OFFICE_READS | _CASHIER,
        ("POST", "/van-phong/ngan-sach/danh-sach/{claim_id}/chi-tra"): _MAKERS | _CASHIER,
        ("POST", "/van-phong/ngan-sach/danh-sach/{claim_id}/chi-tra/{payout_id}/dao"): _MAKERS | _CASHIER,
        ("POST", "/van-phong/ngan-sach/ho-tro"): _MAKERS,
        ("POST", "/van-phong/ngan-sach/ho-tro/{choice_id}/duyet"): _CHECKERS,
        ("POST", "/van-phong/ngan-sach/ho-tro/{choice_id}/bo"): _MAKERS | _CHECKERS,
        ("GET", "/van-phong/ngan-sach/doi-tuong"): _OFFICE_READS,
        ("POST", "/van-phong/ngan-sach/doi-tuong"): _MAKERS,
        ("POST", "/van-phong/ngan-sach/doi-tuong/{entitlement_id}/duyet"): _CHECKERS,
        ("POST", "/van-phong/ngan-sach/doi-tuong/{entitlement_id}/ket-thuc"): _MAKERS | _CHECKERS,
        ("GET", "/van-phong/ngan-sach/xac-nhan/{enrolment_id}.pdf"): _MAKERS,
        ("GET", "/van-phong/lien-he"): _MAKERS | _CHECKERS,
        ("POST", "/van-phong/lien-he/{registration_id}/nhan"): _MAKERS | _CHECKERS,
        ("POST", "/van-phong/lien-he/{registration_id}/tu-choi"): _MAKERS | _CHECKERS,
        ("GET", "/van-phong/tai-len"): _MAKERS,
        ("GET", "/van-phong/tai-len/{kind}.xlsx"): _MAKERS,
        ("POST", "/van-phong/tai-len/{kind}"): _MAKERS,
        ("GET", "/kiem-toan"): _OFFICE_READS,
        ("GET", "/kiem-toan/bao-cao.xlsx"): _OFFICE_READS,
        ("GET", "/tinh"): _PROVINCE,
        # The API (service/api/): a token's person, in the roles held at the token's school.
        ("GET", "/api/v1/openapi.json"): EVERYBODY,
        ("GET", "/api/v1/me"): _OFFICE_READS,
        ("GET", "/api/v1/schools/{school}/accounts"): _OFFICE_READS,
        ("GET", "/api/v1/schools/{school}/classes"): _OFFICE_READS,
        ("GET", "/api/v1/schools/{school}/pupils"): _OFFICE_READS,
        ("GET", "/api/v1/schools/{school}/items"): _OFFICE_READS,
        ("POST", "/api/v1/schools/{school}/items"): _MAKERS,
        ("GET", "/api/v1/schools/{school}/items/{code}"): _OFFICE_READS,
        ("PATCH", "/api/v1/schools/{school}/items/{code}"): _MAKERS,
        ("POST", "/api/v1/schools/{school}/items/{code}/end"): _MAKERS,
        ("POST", "/api/v1/schools/{school}/items/{code}/prices"): _MAKERS,
        ("POST", "/api/v1/schools/{school}/items/{code}/prices/{price_id}/withdraw"): _MAKERS,
        ("GET", "/api/v1/schools/{school}/catalogues"): _MAKERS,
        ("GET", "/api/v1/schools/{school}/catalogues/{name}"): _MAKERS,
        ("POST", "/api/v1/schools/{school}/catalogues"): _MAKERS,
        ("GET", "/api/v1/schools/{school}/registrations"): _OFFICE_READS,
        ("POST", "/api/v1/schools/{school}/registrations"): _MAKERS,
        ("POST", "/api/v1/schools/{school}/registrations/end"): _MAKERS,
        ("POST", "/api/v1/schools/{school}/classes/{class_id}/registrations"): _MAKERS,
        ("GET", "/api/v1/schools/{school}/reduction-kinds"): _OFFICE_READS,
        ("GET", "/api/v1/schools/{school}/reductions"): _OFFICE_READS,
        ("POST", "/api/v1/schools/{school}/reductions"): _MAKERS,
        ("GET", "/api/v1/schools/{school}/reductions/{reduction_id}"): _OFFICE_READS,
        ("POST", "/api/v1/schools/{school}/reductions/{reduction_id}/approve"): _CHECKERS,
        ("POST", "/api/v1/schools/{school}/reductions/{reduction_id}/withdraw"): _MAKERS | _CHECKERS,
        ("POST", "/api/v1/schools/{school}/reductions/{reduction_id}/end"): _MAKERS,
        ("GET", "/api/v1/schools/{school}/rounds/{round_id}/charges"): _OFFICE_READS,
        ("GET", "/api/v1/schools/{school}/rounds/{round_id}/charges/{pupil_id}"): _OFFICE_READS,
        ("GET", "/api/v1/schools/{school}/rounds/{round_id}/bills"): _OFFICE_READS,
        ("GET", "/api/v1/schools/{school}/bills/{bill_id}"): _OFFICE_READS,
        ("GET", "/api/v1/schools/{school}/rounds"): _OFFICE_READS,
        ("POST", "/api/v1/schools/{school}/rounds"): _MAKERS,
        ("GET", "/api/v1/schools/{school}/rounds/{round_id}"): _OFFICE_READS,
        ("POST", "/api/v1/schools/{school}/rounds/{round_id}/supplementary"): _MAKERS,
        ("POST", "/api/v1/schools/{school}/rounds/{round_id}/preview"): _MAKERS,
        ("GET", "/api/v1/schools/{school}/rounds/{round_id}/oddities"): _OFFICE_READS,
        ("GET", "/api/v1/schools/{school}/rounds/{round_id}/differences"): _OFFICE_READS,
        ("POST", "/api/v1/schools/{school}/rounds/{round_id}/submit"): _MAKERS,
        ("POST", "/api/v1/schools/{school}/rounds/{round_id}/approve"): _CHECKERS,
        ("POST", "/api/v1/schools/{school}/rounds/{round_id}/issue"): _MAKERS | _CHECKERS,
        ("POST", "/api/v1/schools/{school}/rounds/{round_id}/withdraw"): _MAKERS | _CHECKERS,
        ("POST", "/api/v1/schools/{school}/rounds/{round_id}/lock"): _MAKERS | _CHECKERS,
        ("POST", "/api/v1/schools/{school}/rounds/{round_id}/unlock"): _CHECKERS,
        ("GET", "/api/v1/schools/{school}/corrections"): _OFFICE_READS,
        ("POST", "/api/v1/schools/{school}/corrections"): _MAKERS,
        ("GET", "/api/v1/schools/{school}/corrections/{correction_id}"): _OFFICE_READS,
        ("POST", "/api/v1/schools/{school}/corrections/{correction_id}/approve"): _CHECKERS,
        ("POST", "/api/v1/schools/{school}/corrections/{correction_id}/reject"): _MAKERS | _CHECKERS,
        ("GET", "/api/v1/schools/{school}/claims"): _OFFICE_READS,
        ("POST", "/api/v1/schools/{school}/claims"): _MAKERS,
        ("GET", "/api/v1/schools/{school}/claims/{claim_id}"): _OFFICE_READS,
        ("GET", "/api/v1/schools/{school}/claims/{claim_id}/lines"): _OFFICE_READS,
        ("POST", "/api/v1/schools/{school}/claims/{claim_id}/calculate"): _MAKERS,
        ("POST", "/api/v1/schools/{school}/claims/{claim_id}/submit"): _MAKERS,
        ("POST", "/api/v1/schools/{school}/claims/{claim_id}/approve"): _CHECKERS,
        ("POST", "/api/v1/schools/{school}/claims/{claim_id}/send"): _MAKERS,
        ("POST", "/api/v1/schools/{school}/claims/{claim_id}/withdraw"): _MAKERS | _CHECKERS,
        ("POST", "/api/v1/schools/{school}/claims/{claim_id}/payments"): _MAKERS,
        ("POST", "/api/v1/schools/{school}/claims/{claim_id}/payments/{payment_id}/undo"): _MAKERS,
        ("GET", "/api/v1/schools/{school}/entitlements"): _OFFICE_READS,
        ("POST", "/api/v1/schools/{school}/entitlements"): _MAKERS,
        ("GET", "/api/v1/schools/{school}/entitlements/{entitlement_id}"): _OFFICE_READS,
        ("POST", "/api/v1/schools/{school}/entitlements/{entitlement_id}/approve"): _CHECKERS,
        ("POST", "/api/v1/schools/{school}/entitlements/{entitlement_id}/end"): _MAKERS | _CHECKERS,
        ("GET", "/api/v1/schools/{school}/claims/{claim_id}/payouts"): _OFFICE_READS,
        ("POST", "/api/v1/schools/{school}/claims/{claim_id}/payouts"): _MAKERS,
        ("POST", "/api/v1/schools/{school}/claims/{claim_id}/payouts/{payout_id}/undo"): _MAKERS,
        ("GET", "/api/v1/schools/{school}/workbooks/{kind}"): _MAKERS,
        ("POST", "/api/v1/schools/{school}/workbooks/{kind}"): _MAKERS,
        # Mounted ahead of the framework; the bank's signature is checked inside (service/door.py).
        ("POST", "/callbacks/{feed}"): EVERYBODY,
    }
)


def may(actor: Actor, method: str, path: str) -> bool:
    """Say whether an actor may use a route, given as method and path template; unknown routes are denied."""
    return actor in MATRIX.get((method, path), frozenset())
