"""Everything that can be wrong with an ingestion request: one table, from which the docs are made."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from pinyon.domain.errors import RequestRefused, Unavailable


class Fault(Struct, frozen=True):
    """One thing that can be wrong. ``code`` is stable; ``message`` and ``advice`` never hold what was sent."""

    code: str
    status: int  # of the answer, when this is what ends the request
    message: str
    advice: str

    @property
    def detail(self) -> str:
        return f"{self.message} {self.advice}"

    def refusal(self, fact: str = "") -> RequestRefused:
        """The error that answers the request; ``fact`` adds what is known here, such as a position."""
        return RequestRefused(self.code, f"{self.message} {fact}".rstrip(), self.advice, status=self.status)


# One member of a batch, or the event of a single-event request.
NOT_AN_OBJECT: Final = Fault("not_an_object", 400, "The event is not a JSON object.", "Send each event as an object.")
TYPE_MISSING: Final = Fault(
    "type_missing", 400, "The event has no type.", "Set type to track, page, screen, identify, group or alias."
)
TYPE_UNKNOWN: Final = Fault(
    "type_unknown",
    400,
    "The event's type is not one of the Segment spec.",
    "Set type to track, page, screen, identify, group or alias, in lower case.",
)
EVENT_NAME_MISSING: Final = Fault(
    "event_name_missing", 400, "A track event has no name.", 'Set event to a text such as "Order Completed".'
)
IDS_MISSING: Final = Fault(
    "ids_missing",
    400,
    "The event does not say whose it is.",
    "Set userId or anonymousId (PostHog: distinct_id) to a text or a number.",
)
GROUP_ID_MISSING: Final = Fault(
    "group_id_missing", 400, "A group event names no group.", "Set groupId to a text or a number."
)
PREVIOUS_ID_MISSING: Final = Fault(
    "previous_id_missing", 400, "An alias event names no earlier id.", "Set previousId to a text or a number."
)
MESSAGE_ID_INVALID: Final = Fault(
    "message_id_invalid",
    400,
    "The message id is neither text nor a number, holds a NUL, or has more than 256 characters.",
    "Set messageId (PostHog: uuid) to a short unique text, or leave it out.",
)
EVENT_TOO_LARGE: Final = Fault(
    "event_too_large",
    413,
    "The event has more bytes than PINYON_MAX_EVENT_BYTES allows.",
    "Send less in one event, or raise the limit.",
)
TOO_DEEP: Final = Fault(
    "too_deep", 400, "The JSON is nested too deeply to be read.", "Send objects and lists in fewer than 100 levels."
)

MEMBER_FAULTS: Final = (
    NOT_AN_OBJECT,
    TYPE_MISSING,
    TYPE_UNKNOWN,
    EVENT_NAME_MISSING,
    IDS_MISSING,
    GROUP_ID_MISSING,
    PREVIOUS_ID_MISSING,
    MESSAGE_ID_INVALID,
    EVENT_TOO_LARGE,
    TOO_DEEP,
)

# The request as a whole.
MALFORMED_JSON: Final = Fault(
    "malformed_json", 400, "The body is not valid JSON in UTF-8.", "Send one JSON object, encoded as UTF-8."
)
BATCH_MISSING: Final = Fault(
    "batch_missing", 400, "The body has no list of events.", 'Send an object with a list: {"batch": [...]}.'
)
NO_VALID_EVENTS: Final = Fault(
    "no_valid_events",
    400,
    "None of the events can be accepted.",
    "The refused events are recorded with their reasons; see them by their message ids with pinyon explain.",
)
DATA_INVALID: Final = Fault(
    "data_invalid",
    400,
    "The query parameter data is not an event in base64.",
    "Encode a JSON object as base64, or send the event's members as query parameters.",
)
QUERY_INVALID: Final = Fault(
    "query_invalid", 400, "The query of the URL cannot be read.", "Send at most 100 parameters, encoded as UTF-8."
)
TOO_MANY_EVENTS: Final = Fault(
    "too_many_events",
    413,
    "The batch has more events than PINYON_MAX_BATCH_EVENTS allows.",
    "Send smaller batches, or raise the limit.",
)
BATCH_TOO_LARGE: Final = Fault(
    "batch_too_large",
    413,
    "The body has more bytes, as sent or decoded, than PINYON_MAX_BATCH_BYTES allows.",
    "Send smaller batches, or raise the limit.",
)
ENCODING_UNKNOWN: Final = Fault(
    "encoding_unknown",
    415,
    "The Content-Encoding is not one that is read here.",
    "Use gzip, deflate, zstd or none.",
)
ENCODING_CORRUPT: Final = Fault(
    "encoding_corrupt",
    400,
    "The body is not what its Content-Encoding says.",
    "Check that the header fits the body and that nothing on the way shortens it.",
)
BODY_INCOMPLETE: Final = Fault(
    "body_incomplete", 400, "The connection ended before the whole body had arrived.", "Send the request again."
)
WRITE_KEY_MISSING: Final = Fault(
    "write_key_missing",
    401,
    "The request carries no write key.",
    "Send the source's write key as the user name of Basic authentication, as a Bearer token, as writeKey or api_key "
    "in the body, or as writeKey in the query.",
)
INVALID_WRITE_KEY: Final = Fault(
    "invalid_write_key", 401, "No source has this write key.", "Use the write key of a source of this server."
)
SOURCE_DISABLED: Final = Fault(
    "source_disabled", 401, "The source of this write key is switched off.", "Switch the source on to collect again."
)

REQUEST_FAULTS: Final = (
    MALFORMED_JSON,
    BATCH_MISSING,
    NO_VALID_EVENTS,
    DATA_INVALID,
    QUERY_INVALID,
    TOO_MANY_EVENTS,
    BATCH_TOO_LARGE,
    ENCODING_UNKNOWN,
    ENCODING_CORRUPT,
    BODY_INCOMPLETE,
    WRITE_KEY_MISSING,
    INVALID_WRITE_KEY,
    SOURCE_DISABLED,
)


def body_timeout() -> Unavailable:
    """The error for a body that did not arrive in time; clients may try again."""
    return Unavailable(
        "body_timeout",
        "The body did not arrive within PINYON_BODY_TIMEOUT.",
        "Send the request again, or raise the limit for slow clients.",
        status=408,
    )
