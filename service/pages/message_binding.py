"""The desk of the page of messages, on rows, and what eSMS calls when there is news."""

from __future__ import annotations

import hmac
from datetime import datetime
from uuid import UUID

from notifications.rules import Via
from notifications.sms_budget import set_monthly
from notifications.sms_course import look_soon
from service.access.roles import Actor, Place, SignedIn
from service.channels import available_channels, sms_news_key
from service.database import EVERYTHING, use_scope
from service.pages.message_rows import newest_messages, sms_month
from service.pages.message_views import MessagesPage
from service.pages.within import RowsWithin


class MessageRows(RowsWithin):
    """Messages to families, answered from rows."""

    def messages(self, who: SignedIn, place: Place, channel: str, now: datetime) -> MessagesPage:
        """Return the newest messages and the month's SMS."""
        del who
        session = self._within(place)
        ready = Via.SMS in available_channels(self._wiring.settings)
        rows = tuple(newest_messages(session, place.id, channel))
        return MessagesPage(sms_month(session, place.id, now, ready=ready), rows, channel)

    def set_sms(self, who: SignedIn, place: Place, monthly: int, now: datetime) -> None:
        """Set how many SMS a month the school pays for, and write down who did it."""
        set_monthly(self._within(place), place.id, monthly, self._actor(who, Actor.APPROVER), now)

    def sms_news(self, key: str, request_id: str, now: datetime) -> None:
        """Ask soon about a text that there is news of: what the caller says of it is believed in nothing else."""
        if not hmac.compare_digest(key.encode(), sms_news_key(self._wiring.settings).encode()):
            return
        try:
            text_id = UUID(request_id)
        except ValueError:
            return
        use_scope(self._session, EVERYTHING)
        if look_soon(self._session, [text_id], now):
            self.bells.append("notifications.look")
