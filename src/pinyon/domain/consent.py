"""Whether a person allowed what a destination needs.

A destination names the categories it needs; an event says which ones the person allowed, in the Segment form
``context.consent.categoryPreferences``. Names are compared without regard to case: consent platforms differ in it.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from pinyon.domain.registry import ConsentDefault


class ConsentPolicy(Struct, frozen=True):
    """What one destination needs of one source's events."""

    categories: tuple[str, ...]  # lower case; empty: no consent is needed
    default: ConsentDefault  # what holds where the event says nothing of a category


class Receipt(Struct, frozen=True):
    """The decision, and what it rests on."""

    granted: bool
    signal: str  # "none needed", "categoryPreferences" or "source default"
    category: str = ""  # the category that decided a refusal

    @property
    def sentence(self) -> str:
        if self.signal == "none needed":
            return "The destination needs no consent category."
        verdict = "allowed" if self.granted else f"not allowed: {self.category}"
        return f"Consent {verdict} (by {self.signal})."


NONE_NEEDED = Receipt(granted=True, signal="none needed")
_BY_EVENT = Receipt(granted=True, signal="categoryPreferences")
_BY_DEFAULT = Receipt(granted=True, signal="source default")


def decide(preferences: Any, policy: ConsentPolicy) -> Receipt:
    """All categories of the policy must be allowed.

    ``preferences`` is what the event carries, of any type; only an object of booleans counts. A category that the
    object leaves out falls to the default, as an event without the object does.
    """
    if not policy.categories:
        return NONE_NEEDED
    stated = preferences if isinstance(preferences, dict) else {}
    by_default = False
    for category in policy.categories:
        answer = _stated(stated, category)
        if answer is None:
            by_default = True
            if policy.default == "denied":
                return Receipt(granted=False, signal="source default", category=category)
        elif not answer:
            return Receipt(granted=False, signal="categoryPreferences", category=category)
    return _BY_DEFAULT if by_default else _BY_EVENT


def _stated(preferences: dict[str, Any], category: str) -> bool | None:
    """A name may stand there twice in different case; one refusal is enough."""
    answer = None
    for name, value in preferences.items():
        if isinstance(value, bool) and name.lower() == category:
            if not value:
                return False
            answer = True
    return answer
