"""Our error on the left, HTTP status and stable code on the right: the only place where they meet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from billing import errors as billing
from reconciliation.cards.errors import (
    CardNotNow,
    CardPageNotOpened,
    CardProviderAway,
    CardRequestRefused,
    CardsOff,
    CardSumChanged,
)
from reconciliation.errors import StatementUnreadable
from service.access import errors as access


@dataclass(frozen=True, slots=True)
class Answer:
    """How an error leaves the house: status, stable code, and what a person can do (Vietnamese, English)."""

    status: int
    code: str
    advice: tuple[str, str]


_AGAIN = ("Tải lại trang rồi thử lại.", "Reload the page and try again.")
_ASK_SCHOOL = ("Kiểm tra lại địa chỉ, hoặc hỏi văn phòng nhà trường.", "Check the address, or ask the school's office.")
_FIX = ("Sửa theo lời báo trên rồi gửi lại.", "Correct what is said above and send it again.")
_STATEMENT = (
    "Đừng sửa tệp của ngân hàng: tải lại sao kê rồi gửi đúng tệp đó; vẫn vậy thì hỏi ngân hàng.",
    "Do not edit the bank's file: download the statement again and send that; if it stays so, ask the bank.",
)
_TRANSFER = ("Mã chuyển khoản ở trang thông báo.", "The code for a transfer is on the notice.")
_LATER = ("Xin chờ ít phút rồi thử lại.", "Please wait a few minutes and try again.")

TABLE: Mapping[type[billing.HocphiError], Answer] = MappingProxyType(
    {
        access.SignInNeeded: Answer(401, "sign_in_needed", ("Xin đăng nhập.", "Please sign in.")),
        access.PasswordChangeNeeded: Answer(
            403, "password_change_needed", ("Mở trang đổi mật khẩu.", "Open the page to change the password.")
        ),
        access.WrongCredentials: Answer(
            401,
            "wrong_credentials",
            (
                "Kiểm tra phím Caps Lock và bộ gõ tiếng Việt, rồi thử lại.",
                "Check Caps Lock and your keyboard, then try again.",
            ),
        ),
        access.TooManyTries: Answer(429, "too_many_tries", _LATER),
        access.ForgedRequest: Answer(
            403,
            "forged_request",
            ("Mở lại trang từ hệ thống rồi gửi lại.", "Open the page again from our site and send it again."),
        ),
        access.LinkUnknown: Answer(
            404,
            "link_unknown",
            (
                "Mở lại tin nhắn mới nhất của nhà trường, hoặc hỏi văn phòng nhà trường.",
                "Open the school's latest message again, or ask the school's office.",
            ),
        ),
        access.CodeNotSent: Answer(
            503,
            "code_not_sent",
            (
                "Quay lại, chọn cách liên lạc khác hoặc thử lại sau ít phút; vẫn chưa được thì xin gọi nhà trường.",
                "Go back, choose another contact or try again in a few minutes; if it still fails, call the school.",
            ),
        ),
        access.Busy: Answer(503, "busy", _LATER),
        access.BeingWritten: Answer(503, "being_written", _LATER),
        access.TokenNeeded: Answer(
            401,
            "token_needed",
            (
                "Làm khóa mới ở trang “Của tôi” (/toi) và gửi trong Authorization: Bearer.",
                "Make a new token on the page /toi and send it as Authorization: Bearer.",
            ),
        ),
        access.ReadOnlyToken: Answer(
            403,
            "read_only_token",
            ("Dùng khóa có quyền ghi.", "Use a token that may write."),
        ),
        access.KeyReused: Answer(
            409,
            "key_reused",
            ("Đặt khóa mới cho yêu cầu mới.", "Use a new key for a new request."),
        ),
        access.TooLarge: Answer(413, "too_large", ("Gửi tệp nhỏ hơn.", "Send a smaller file.")),
        access.WeakPassword: Answer(422, "weak_password", _FIX),
        billing.SamePerson: Answer(
            403,
            "same_person",
            ("Xin nhờ người thứ hai có quyền duyệt.", "Ask a second person with the right to approve."),
        ),
        billing.OwnFamily: Answer(
            403,
            "own_family",
            ("Xin nhờ đồng nghiệp khác làm việc này.", "Ask a colleague to do this."),
        ),
        billing.NotAllowed: Answer(
            403,
            "not_allowed",
            ("Nếu cần quyền này, xin hỏi người quản trị.", "If you need this right, ask the administrator."),
        ),
        billing.NotFound: Answer(404, "not_found", _ASK_SCHOOL),
        CardSumChanged: Answer(
            409, "card_sum_changed", ("Số tiền mới ở trang thông báo.", "The notice has the new sum.")
        ),
        billing.Conflict: Answer(409, "conflict", _AGAIN),
        billing.BadRows: Answer(422, "bad_rows", _FIX),
        billing.OverCap: Answer(422, "over_cap", _FIX),
        CardPageNotOpened: Answer(503, "card_page_not_opened", _TRANSFER),
        CardNotNow: Answer(
            422,
            "card_not_now",
            (
                "Trang thông báo cho biết nhà trường đã nhận được gì và còn phải nộp gì.",
                "The notice shows what the school has received and what is still to be paid.",
            ),
        ),
        CardsOff: Answer(422, "cards_off", _TRANSFER),
        CardProviderAway: Answer(503, "card_provider_away", _LATER),
        CardRequestRefused: Answer(503, "card_provider_refused", _LATER),
        StatementUnreadable: Answer(422, "refused", _STATEMENT),
        billing.Refused: Answer(422, "refused", _FIX),
        billing.HocphiError: Answer(500, "internal", _LATER),
    }
)

# What the framework itself answers; anything else below 500 is "bad_request".
BY_STATUS: Mapping[int, tuple[Answer, tuple[str, str]]] = MappingProxyType(
    {
        400: (Answer(400, "bad_request", _AGAIN), ("Yêu cầu không đọc được.", "The request cannot be read.")),
        404: (Answer(404, "not_found", _ASK_SCHOOL), ("Không có trang này.", "There is no such page.")),
        405: (
            Answer(405, "method_not_allowed", _AGAIN),
            ("Trang này không nhận cách gửi đó.", "This page does not take that method."),
        ),
        413: (
            Answer(413, "too_large", ("Gửi tệp nhỏ hơn.", "Send a smaller file.")),
            ("Dữ liệu quá lớn.", "Too large."),
        ),
        422: (
            Answer(422, "invalid_input", _FIX),
            ("Có ô điền chưa đúng.", "A field is not filled in correctly."),
        ),
        500: (
            Answer(500, "internal", _LATER),
            ("Hệ thống gặp lỗi. Chưa có gì bị ghi sai.", "Something broke. Nothing wrong was stored."),
        ),
        503: (Answer(503, "busy", _LATER), ("Hệ thống đang bận.", "The system is busy.")),
    }
)


def answer_for(error: billing.HocphiError) -> Answer:
    """Return the answer of the nearest class in the table; every error of ours has one."""
    return next(TABLE[kind] for kind in type(error).__mro__ if kind in TABLE)


def answer_for_status(status: int) -> tuple[Answer, tuple[str, str]]:
    """Return answer and sentence (Vietnamese, English) for a bare HTTP status."""
    if status in BY_STATUS:
        return BY_STATUS[status]
    answer, sentence = BY_STATUS[500 if status >= 500 else 400]  # noqa: PLR2004  the class of server faults
    return Answer(status, answer.code, answer.advice), sentence
