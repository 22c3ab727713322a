"""Who may do what outside the office (pure): what anybody opens, machines, and a person's own account and staff."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from service.access.actors import ROLES, Actor
from service.access.circles import EVERYBODY, OF_A_SCHOOL, OFFICE_READS, STAFF_ASKERS, STAFF_DECIDERS

ACCOUNT_ROUTES: Mapping[tuple[str, str], frozenset[Actor]] = MappingProxyType(
    {
        ("GET", "/"): EVERYBODY,
        ("GET", "/livez"): EVERYBODY,
        ("GET", "/readyz"): EVERYBODY,
        ("GET", "/metrics"): frozenset(),  # no person: a program with a token of its own (service/figures.py)
        ("GET", "/robots.txt"): EVERYBODY,
        ("GET", "/sms/tin-bao/{key}"): EVERYBODY,  # eSMS, which signs nothing: it only makes us ask
        ("GET", "/static/{name}"): EVERYBODY,
        ("GET", "/dang-nhap"): EVERYBODY,
        ("GET", "/cong-khai/{school_code}"): EVERYBODY,
        ("GET", "/cong-khai/{school_code}.json"): EVERYBODY,
        ("POST", "/dang-nhap"): EVERYBODY,
        ("POST", "/dang-xuat"): ROLES,
        ("GET", "/toi"): ROLES,
        ("POST", "/toi/khoa"): OFFICE_READS,
        ("POST", "/toi/khoa/{token_id}/thu-hoi"): OFFICE_READS,
        ("POST", "/toi/con"): OF_A_SCHOOL,
        ("POST", "/toi/lien-he"): OF_A_SCHOOL,
        ("GET", "/doi-mat-khau"): ROLES,
        ("POST", "/doi-mat-khau"): ROLES,
        ("GET", "/nguoi-dung"): STAFF_ASKERS | {Actor.AUDITOR},
        ("POST", "/nguoi-dung"): STAFF_ASKERS,
        ("GET", "/nguoi-dung/{user_id}/nguoi-nha"): STAFF_ASKERS | {Actor.AUDITOR},
        ("POST", "/nguoi-dung/{user_id}/nguoi-nha/con"): STAFF_ASKERS,
        ("POST", "/nguoi-dung/{user_id}/nguoi-nha/lien-he"): STAFF_ASKERS,
        ("POST", "/nguoi-dung/{user_id}/nguoi-nha/thoi"): STAFF_DECIDERS,
        ("POST", "/nguoi-dung/{user_id}/mat-khau"): STAFF_ASKERS,
        ("POST", "/nguoi-dung/yeu-cau/{request_id}/dong-y"): STAFF_DECIDERS,
        ("POST", "/nguoi-dung/yeu-cau/{request_id}/tu-choi"): STAFF_ASKERS,
        ("POST", "/nguoi-dung/vai-tro/{grant_id}/ket-thuc"): STAFF_DECIDERS,
        ("POST", "/nguoi-dung/{user_id}/dang-xuat"): STAFF_DECIDERS,
        # Mounted ahead of the framework, with the paths that a provider adds behind it; the bank's signature (or its
        # password, where it logs in) is checked inside (service/door.py).
        ("POST", "/callbacks/{feed}"): EVERYBODY,
        # Questions of banks: the secret of the feed is checked inside (reconciliation/feeds/), nothing is written.
        ("POST", "/enquiries/{feed}/getbill"): EVERYBODY,
        ("POST", "/enquiries/{feed}/api/transactions/check-order"): EVERYBODY,
    }
)
