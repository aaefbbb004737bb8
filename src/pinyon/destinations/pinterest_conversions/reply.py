"""What Pinterest's answers mean. Decided by status and body; total: nothing that is answered makes it raise.

Source: API description 5.23.0, events/create, and public reports of real answers; where a point is open it says so.
"""

from __future__ import annotations

import email.utils
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from pinyon.domain.delivery import (
    Accepted,
    Answered,
    Deferred,
    Forbidden,
    Outcome,
    Refused,
    Rejected,
    Unreachable,
    Verdict,
)
from pinyon.ports.destination import Reply

_CREDENTIALS_ADVICE: Final = (
    "Generate a new conversion token in Ads Manager (Conversions, Set up API) and put it in the destination's "
    "settings. What is waiting is sent then."
)
_ACCOUNT_ADVICE: Final = (
    "Check the ad account ID, and that the person who made the token is owner of that account or has the role Admin, "
    "Analyst, Audience or Campaign. What is waiting is sent then."
)
_UNEXPECTED_ADVICE: Final = (
    "Pinterest never answers so to a request of this kind. Check PINYON_PINTEREST_BASE_URL, and whether there is a "
    "newer version of Pinyon. What is waiting is sent when the answers are as they should be again."
)
_WORDS_LIMIT: Final = 300


def read(events: int, reply: Reply) -> Verdict:
    """The verdict on a request of ``events`` events."""
    status = reply.status
    if status == 0:
        return Unreachable(reply.failure or "no_answer")
    body = _decode(reply.body)
    if 200 <= status < 300:
        return _per_event(events, body) or Answered([Deferred("answer_unreadable")] * events)
    if status == 422:
        details = body.get("details")
        answered = _per_event(events, details if isinstance(details, dict) else {})
        return answered or Refused("unprocessable", _words(body))
    if status == 401:
        return Forbidden("token_refused", _words(body), _CREDENTIALS_ADVICE)
    if status == 403:
        return Forbidden("account_refused", _words(body), _ACCOUNT_ADVICE)
    if status in {408, 409, 425, 429} or status >= 500 or status < 400:  # a redirect says nothing of the events
        reason = "rate_limited" if status == 429 else f"http_{status}"
        return Unreachable(reason, _words(body), _retry_after(reply.headers))
    if status == 404:
        return Forbidden("account_unknown", _words(body), _ACCOUNT_ADVICE)
    if status in {400, 413}:
        return Refused("invalid" if status == 400 else "too_large", _words(body))
    return Forbidden(f"http_{status}", _words(body), _UNEXPECTED_ADVICE)


def _per_event(events: int, body: dict[str, Any]) -> Answered | None:
    """One outcome per event, or None when the body does not judge each of them."""
    verdicts = body.get("events")
    if not isinstance(verdicts, list) or len(verdicts) != events:
        return None
    return Answered([_outcome(verdict) for verdict in verdicts])


_ACCEPTED: Final = Accepted()


def _outcome(verdict: Any) -> Outcome:
    if not isinstance(verdict, dict):
        return Deferred("answer_unreadable")
    status = verdict.get("status")
    if status == "processed":
        warning = verdict.get("warning_message")
        return Accepted(str(warning)[:_WORDS_LIMIT]) if warning else _ACCEPTED
    if status == "failed":
        return Rejected("refused_by_pinterest", str(verdict.get("error_message") or "")[:_WORDS_LIMIT])
    return Deferred("answer_unreadable")


def _decode(body: bytes) -> dict[str, Any]:
    try:
        data = msgspec.json.decode(body)
    except (ValueError, RecursionError):  # of the decoder, or of text that is not UTF-8
        return {}
    return data if isinstance(data, dict) else {}


def _words(body: dict[str, Any]) -> str:
    """Pinterest's own words with its code."""
    code, message = body.get("code"), body.get("message")
    words = f"{message or ''}" if code is None else f"{message or ''} (code {code})"
    return words.strip()[:_WORDS_LIMIT]


#: Most seconds that a vendor's time is honoured for: one mistaken header must not stop a lane for a year.
_LONGEST_WAIT: Final = 86_400.0


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds, when the header is there and readable. Whether Pinterest sends it is not published."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return min(float(value), _LONGEST_WAIT)
    stated, answered = _moment(value), _moment(headers.get("date", ""))
    if stated is None or answered is None:
        return None
    return min(max(0.0, stated - answered), _LONGEST_WAIT)


def _moment(text: str) -> float | None:
    """An HTTP date in seconds since the epoch."""
    try:
        found = email.utils.parsedate_tz(text)
        return float(email.utils.mktime_tz(found)) if found is not None else None
    except (ValueError, OverflowError):
        return None  # a date that there is not: the parser takes any number for a year or a month
