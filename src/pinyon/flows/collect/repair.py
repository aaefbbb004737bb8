"""The slow way to read a body: what standard JSON writers emit and the fast decoder refuses.

Python clients write ``NaN`` and ``Infinity``, JavaScript ones lone surrogates, and anybody may nest too deeply. Such a
body is read by the standard library and written again, so that the fast decoder can take the good neighbours.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final

from pinyon.flows.collect.faults import MALFORMED_JSON, TOO_DEEP

#: Levels of objects and lists that are kept when a body turns out to be too deep to be read.
DEPTH_KEPT: Final = 100

#: Stands, as a JSON text, where something was cut for its depth. An event that holds it is refused.
CUT: Final = b'"\\u0000cut: nested too deeply"'

# A text up to its end, or one bracket. Possessive, and with the closing quote optional, so that a text without an end
# is one match and the scan stays linear.
_TOKENS: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)

# CPython refuses to read integers of more digits than 4,300; none of more than 309 is a finite float.
_MOST_DIGITS: Final = 309


def repair(body: bytes) -> bytes:
    """The same JSON, so that the fast decoder takes it.

    ``NaN``, infinities and numbers out of range become null, lone surrogates U+FFFD; what is nested deeper than
    ``DEPTH_KEPT`` becomes ``CUT``, in a body that is too deep to be read. ``body`` is valid UTF-8.
    Raises ``RequestRefused`` (malformed_json with the position, too_deep).
    """
    text = body.decode()
    try:
        return _rewrite(text)
    except RecursionError:
        pass  # outside of the handler, the traceback's many frames are gone
    try:
        return _rewrite(_cut_deep(text))
    except RecursionError as error:
        raise TOO_DEEP.refusal() from error


def _rewrite(text: str) -> bytes:
    try:
        data = json.loads(text, parse_constant=_null, parse_float=_finite, parse_int=_integer)
    except json.JSONDecodeError as error:
        fact = f"{error.msg}: line {error.lineno}, column {error.colno}, character {error.pos}."
        raise MALFORMED_JSON.refusal(fact) from error
    return _encode(json.dumps(data, ensure_ascii=False, separators=(",", ":")))


def _encode(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()


def _null(_: str) -> None:
    return None


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def _integer(text: str) -> Any:
    return int(text) if len(text) <= _MOST_DIGITS else None


def _cut_deep(text: str) -> str:
    pieces: list[str] = []
    depth = start = 0
    for token in _TOKENS.finditer(text):
        mark = token[0]
        if mark in "[{":
            depth += 1
            if depth == DEPTH_KEPT + 1:
                pieces += (text[start : token.start()], CUT.decode())
        elif mark in "]}":
            if depth == DEPTH_KEPT + 1:
                start = token.end()
            depth -= 1
    if depth <= DEPTH_KEPT:
        pieces.append(text[start:])
    return "".join(pieces)
