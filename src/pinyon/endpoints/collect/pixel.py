"""Events in the URL of an image, for e-mails and pages without scripts."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from pinyon.flows.collect.faults import DATA_INVALID

#: A transparent GIF of one pixel. Source: GIF89a specification, written out block by block.
GIF: Final = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00"  # header, 1 x 1, a table of two colours
    b"\x00\x00\x00\xff\xff\xff"  # the colours
    b"\x21\xf9\x04\x01\x00\x00\x00\x00"  # colour 0 is transparent
    b"\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00"  # the image
    b"\x02\x02\x44\x01\x00\x3b"  # its one pixel, the end
)

_ENVELOPE: Final = frozenset(
    {
        "userId",
        "anonymousId",
        "groupId",
        "previousId",
        "messageId",
        "timestamp",
        "event",
        "name",
        "category",
        "writeKey",
    }
)
_OBJECTS: Final = frozenset({"properties", "traits", "context"})


def event_in(query: Mapping[str, str], type_: str) -> bytes:
    """The event as JSON: from ``data``, JSON in base64 (either alphabet), or from the parameters themselves.

    ``properties.total=3`` sets a member of ``properties``, likewise ``traits`` and ``context``; a parameter that is no
    member of the envelope belongs to the properties, or to the traits of identify and group calls.
    Raises ``RequestRefused`` (data_invalid).
    """
    data = query.get("data")
    if data is not None:
        return _decode(data)
    event: dict[str, Any] = {}
    others = "traits" if type_ in ("identify", "group") else "properties"
    for name, value in query.items():
        place, _, member = name.partition(".")
        if name in _ENVELOPE:
            event[name] = value
        elif place in _OBJECTS and member:
            event.setdefault(place, {})[member] = value
        else:
            event.setdefault(others, {})[name] = value
    return msgspec.json.encode(event)


def _decode(data: str) -> bytes:
    text = data.replace("-", "+").replace("_", "/").replace(" ", "+").rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise DATA_INVALID.refusal() from error
