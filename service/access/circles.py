"""Who does which part of the work (pure): the circles of actors that the matrix speaks of."""

from __future__ import annotations

from service.access.actors import Actor

EVERYBODY = frozenset(Actor)
LINK = frozenset({Actor.PARENT_LINK})
OFFICE_READS = frozenset({Actor.ACCOUNTANT, Actor.APPROVER, Actor.AUDITOR})
MAKERS = frozenset({Actor.ACCOUNTANT})
CHECKERS = frozenset({Actor.APPROVER})
CASHIER = frozenset({Actor.CASHIER})
PROVINCE = frozenset({Actor.PROVINCE})
OF_A_SCHOOL = MAKERS | CHECKERS | CASHIER  # whoever acts on money has a family to declare
TEACHERS = frozenset({Actor.CLASS_TEACHER})
# Who asks for rights of others, and who decides about them; the administrator sees staff there, no pupil or money.
STAFF_ASKERS = frozenset({Actor.ACCOUNTANT, Actor.APPROVER, Actor.ADMIN})
STAFF_DECIDERS = frozenset({Actor.APPROVER, Actor.ADMIN})
