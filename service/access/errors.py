"""What the door of the office does not allow, in words (pure).

HocphiError
├── SignInNeeded        nobody is signed in, or the session has ended
├── PasswordChangeNeeded  signed in with a one-time password, which must be replaced first
├── WrongCredentials    login and password do not belong together (never says which)
├── TooManyTries        a limit on tries is reached; carries the seconds to wait
├── ForgedRequest       an unsafe request without our token, or from another site
├── LinkUnknown         no payment link with this token, or it has ended
├── CodeNotSent         a one-time code could not be handed to Zalo, eSMS or the mail server
├── Busy                too many at once; trying again soon will work
├── TokenNeeded         a program came without a token that lives
├── ReadOnlyToken       a token that may only read was used to change something
├── KeyReused           an Idempotency-Key stands for another request
├── TooLarge            the request carries more bytes than this door takes
└── WeakPassword        a new password that may not be used
"""

from __future__ import annotations

from billing.errors import Conflict, HocphiError, NotAllowed, Refused


class SignInNeeded(HocphiError):  # noqa: N818  named sentences read better than a row of "…Error"
    """Nobody is signed in, or the session has ended."""

    def __init__(self, message: str = "Trang này cần đăng nhập.", **facts: object) -> None:
        super().__init__(message, **facts)


class PasswordChangeNeeded(HocphiError):  # noqa: N818  as above
    """Signed in with a one-time password, which must be replaced first."""

    def __init__(self, message: str = "Xin đổi mật khẩu dùng một lần trước.", **facts: object) -> None:
        super().__init__(message, **facts)


class WrongCredentials(HocphiError):  # noqa: N818  as above
    """Login and password do not belong together; the message never says which of the two is wrong."""

    def __init__(self, message: str = "Tên đăng nhập hoặc mật khẩu không đúng.", **facts: object) -> None:
        super().__init__(message, **facts)


class TooManyTries(HocphiError):  # noqa: N818  as above
    """A limit on tries is reached."""

    def __init__(self, wait_seconds: int) -> None:
        minutes = max(1, -(-wait_seconds // 60))
        super().__init__(f"Đã thử quá nhiều lần. Xin chờ {minutes} phút rồi thử lại.", wait_seconds=wait_seconds)
        self.wait_seconds = wait_seconds


class ForgedRequest(HocphiError):  # noqa: N818  as above
    """An unsafe request that did not come from our own page."""

    def __init__(self, message: str = "Yêu cầu không đến từ trang của hệ thống.", **facts: object) -> None:
        super().__init__(message, **facts)


class LinkUnknown(HocphiError):  # noqa: N818  as above
    """No payment link with this token, or it has ended."""

    def __init__(self, message: str = "Đường dẫn này không có hoặc đã hết hạn.", **facts: object) -> None:
        super().__init__(message, **facts)


class CodeNotSent(HocphiError):  # noqa: N818  as above
    """A one-time code could not be handed to Zalo, eSMS or the mail server."""

    def __init__(self, masked: str, **facts: object) -> None:
        super().__init__(f"Chưa gửi được mã tới {masked}.", **facts)


class Busy(HocphiError):  # noqa: N818  as above
    """Too many at once."""

    def __init__(self, message: str = "Hệ thống đang bận.", **facts: object) -> None:
        super().__init__(message, **facts)


class BeingWritten(HocphiError):  # noqa: N818  as above
    """Somebody else's act over the same rows is being written, for longer than one waits for it."""

    def __init__(self, message: str = "Dữ liệu này đang được ghi, hãy tải lại sau ít phút.", **facts: object) -> None:
        super().__init__(message, **facts)


class TooLarge(HocphiError):  # noqa: N818  as above
    """The request carries more bytes than this door takes."""

    def __init__(self, message: str = "Dữ liệu gửi lên quá lớn.", **facts: object) -> None:
        super().__init__(message, **facts)


class TokenNeeded(HocphiError):  # noqa: N818  as above
    """A program came without a token that lives."""

    def __init__(
        self, message: str = "Thiếu khóa, hoặc khóa không đúng, đã hết hạn hay đã thu hồi.", **facts: object
    ) -> None:
        super().__init__(message, **facts)


class ReadOnlyToken(NotAllowed):
    """A token that may only read was used to change something."""

    def __init__(self, message: str = "Khóa này chỉ được đọc.", **facts: object) -> None:
        super().__init__(message, **facts)


class KeyReused(Conflict):
    """An ``Idempotency-Key`` stands for another request already."""

    def __init__(
        self, message: str = "Idempotency-Key này đã dùng cho một yêu cầu khác trong 24 giờ qua.", **facts: object
    ) -> None:
        super().__init__(message, **facts)


class WeakPassword(Refused):
    """A new password that may not be used."""
