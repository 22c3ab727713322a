"""The desk of the pages of choices on rows: a guardian's own, and the office's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from billing.choices.choosing import Chooser, Seen, choose, refuse_choice, stop
from billing.choices.offering import NewOffer, close_offer, open_offer
from billing.choices.reading import pupil_choices
from billing.errors import Refused
from billing.fees.explaining import Language
from billing.people.names import masked
from billing.people.tables import Pupil
from notifications.inviting import invite_to_choose, offer_invitations
from service.access import links
from service.access.roles import Actor, Place, SignedIn
from service.access.tables import LinkToken
from service.pages import choice_rows, family_rows, guardian_rows
from service.pages.choice_views import Chosen, FamilyChoicesPage, OfferPage, OffersPage, Ticked, TypedOffer
from service.pages.guardian_binding import GuardianRows
from service.pages.typed import read_day, read_id, school_day


class ChoiceRows(GuardianRows):
    """What families choose, answered from rows; and what guardians ask for otherwise."""

    def family_choices(
        self, link_digest: bytes, token: str, session_digest: bytes | None, language: str, now: datetime
    ) -> FamilyChoicesPage | None:
        """Return the family's page of choices."""
        proved = self._proved(session_digest, now)
        link = links.opened_by(self._session, link_digest, now)
        if link is None:
            return None
        pupil_id = family_rows.open_request(self._session, link, now).request.pupil_id
        name = self._session.get_one(Pupil, pupil_id).full_name
        full = None
        if proved is not None and self._is_hers(link, proved, pupil_id, now):
            found = pupil_choices(self._session, link.school_id, pupil_id, school_day(now), _spoken(language))
            full = choice_rows.full_choices(found, name, proved.until)
        choices, unreachable = self._contact_choices(link.school_id, pupil_id, now)
        school = guardian_rows.school_face(self._session, link.school_id)
        return FamilyChoicesPage(token, school, masked(name), choices, unreachable, proved is not None, full)

    def choose(
        self, link_digest: bytes, session_digest: bytes, ticked: Sequence[Ticked], language: str, now: datetime
    ) -> Chosen | None:
        """Register for what was ticked."""
        opened = self._chooser(link_digest, session_digest, now)
        if not isinstance(opened, tuple):
            return opened
        link, chooser = opened
        done = [
            choose(
                self._session, link.school_id, chooser, each.offer_id, Seen(each.digest, _spoken(language)),
                self._guardian(), now,
            )
            for each in ticked
        ]  # fmt: skip
        return Chosen.DONE if any(done) else Chosen.NOTHING

    def stop_choice(  # noqa: PLR0913, PLR0917  which one, as it was shown
        self, link_digest: bytes, session_digest: bytes, code: str, digest: bytes, language: str, now: datetime
    ) -> Chosen | None:
        """End a registration after the day that was shown."""
        opened = self._chooser(link_digest, session_digest, now)
        if not isinstance(opened, tuple):
            return opened
        link, chooser = opened
        seen = Seen(digest, _spoken(language))
        done = stop(self._session, link.school_id, chooser, code, seen, self._guardian(), now)
        return Chosen.DONE if done else Chosen.NOTHING

    def _chooser(
        self, link_digest: bytes, session_digest: bytes, now: datetime
    ) -> tuple[LinkToken, Chooser] | Chosen | None:
        """Return the link and who chooses; ``CLOSED`` without a session of the child's guardian, else nothing."""
        proved = self._proved(session_digest, now)
        link = links.opened_by(self._session, link_digest, now)
        if link is None:
            return None
        pupil_id = family_rows.open_request(self._session, link, now).request.pupil_id
        if proved is None or not self._is_hers(link, proved, pupil_id, now):
            return Chosen.CLOSED
        return link, Chooser(pupil_id, proved.guardians, proved.contact_kind, proved.contact_blind, proved.digest)

    # The office.

    def offers(self, who: SignedIn, place: Place, code: str, now: datetime) -> OffersPage:
        """Return the offers of a school."""
        del who
        return choice_rows.offers_page(self._within(place), place.id, code, school_day(now))

    def open_offer(self, who: SignedIn, place: Place, typed: TypedOffer, now: datetime) -> UUID:
        """Open an item for registration by families."""
        first, closes = read_day(typed.first), read_day(typed.closes)
        if first is None or closes is None:
            raise Refused("Hãy chọn ngày bắt đầu dùng và hạn đăng ký.")
        new = NewOffer(typed.code, first, closes, typed.words)
        return open_offer(self._within(place), place.id, new, self._actor(who, Actor.ACCOUNTANT), now).id

    def offer(self, who: SignedIn, place: Place, offer_id: UUID, now: datetime) -> OfferPage:
        """Return one offer with its choices."""
        del who
        session = self._within(place)
        page = choice_rows.offer_page(session, place.id, offer_id, school_day(now))
        return replace(page, asked=tuple(offer_invitations(session, place.id, offer_id)))

    def invite_to_offer(self, who: SignedIn, place: Place, offer_id: UUID, now: datetime) -> None:
        """Ask the families that have not answered."""
        invite_to_choose(self._within(place), place.id, offer_id, self._actor(who, Actor.ACCOUNTANT), now)
        self._wiring.ring("notifications.plan")

    def close_offer(self, who: SignedIn, place: Place, offer_id: UUID, now: datetime) -> None:
        """Close an offer."""
        close_offer(self._within(place), place.id, offer_id, self._actor(who, Actor.ACCOUNTANT), now)

    def refuse_choice(self, who: SignedIn, place: Place, choice_id: str, reason: str, now: datetime) -> None:
        """Refuse a family's choice."""
        session, actor = self._within(place), self._actor(who, Actor.ACCOUNTANT)
        refuse_choice(session, place.id, read_id(choice_id), reason, actor, now)


def _spoken(language: str) -> Language:
    return "en" if language == "en" else "vi"
