"""The desk of a person's own tokens on rows."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlmodel import col, select

from billing.people.tables import School
from service.access import tokens
from service.access.roles import Actor, Place, SignedIn
from service.access.token_plan import TokenPlan
from service.access.token_tables import ApiToken
from service.database import NOTHING, Scope, use_scope
from service.pages.token_views import TokenRow
from service.pages.within import RowsWithin


class TokenRows(RowsWithin):
    """Tokens of the person who is signed in, answered from rows."""

    def tokens(self, who: SignedIn, now: datetime) -> tuple[TokenRow, ...]:
        """Return them, newest first."""
        found = tokens.tokens_of(self._session, who.user_id)
        use_scope(self._session, Scope.of(*{row.school_id for row in found}))
        names = dict(self._session.exec(select(School.id, School.name)).all())
        use_scope(self._session, NOTHING)
        return tuple(_row(row, names.get(row.school_id, ""), now) for row in found)

    def make_token(self, who: SignedIn, place: Place, plan: TokenPlan, now: datetime) -> str:
        """Make a token for one school."""
        return tokens.make_token(self._within(place), self._actor(who, _role(who, place)), place, plan, now)

    def revoke_token(self, who: SignedIn, token_id: UUID, now: datetime) -> None:
        """Revoke a token of one's own."""
        own = self._session.exec(select(col(ApiToken.school_id)).where(ApiToken.user_id == who.user_id)).all()
        use_scope(self._session, Scope.of(*own))
        tokens.revoke_token(self._session, self._actor(who, min(who.roles)), token_id, now)


def _role(who: SignedIn, place: Place) -> Actor:
    return min(who.roles_in(place))


def _row(row: ApiToken, school: str, now: datetime) -> TokenRow:
    state = "revoked" if row.revoked_at else "live" if tokens.is_alive(row, now) else "ended"
    return TokenRow(str(row.id), row.name, school, row.read_only, row.made_at, row.expires_at, row.seen_at, state)
