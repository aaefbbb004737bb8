"""The family of errors that Pinyon shows to people.

    PinyonError
    +-- RequestRefused       a client sent what can never be accepted (400, 401, 413, 415)
    +-- Unavailable          try again later (429, 503)
    +-- ConfigurationInvalid a file, setting or argument is wrong; says where and what to do
    +-- StoreDamaged         a file on disk is not what was written

Bugs are not in this family. A vendor's "no" is not an error but a value: see ``domain/delivery.py``.
"""

from __future__ import annotations


class PinyonError(Exception):
    """What went wrong, in words for the person who can mend it.

    ``code`` is stable and documented in ``docs/reference/errors.md``; ``advice`` says what to do next.
    Neither ever holds a person's data.
    """

    status = 500

    def __init__(self, code: str, message: str, advice: str = "", *, status: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.advice = advice
        if status is not None:
            self.status = status

    def __str__(self) -> str:
        return f"{self.message} {self.advice}".rstrip()


class RequestRefused(PinyonError):
    """A request that would be refused again if it were repeated."""

    status = 400


class Unavailable(PinyonError):
    """A request that may succeed later; ``retry_after`` is in whole seconds."""

    status = 503

    def __init__(self, code: str, message: str, advice: str = "", *, status: int = 503, retry_after: int = 1) -> None:
        super().__init__(code, message, advice, status=status)
        self.retry_after = retry_after


class ConfigurationInvalid(PinyonError):
    """A configuration that cannot be used, with every finding.

    ``findings`` has one line each, ``file:line: path: what is wrong. what to do``.
    """

    status = 400

    def __init__(self, message: str, findings: list[str] | None = None, advice: str = "") -> None:
        self.findings = findings or []
        super().__init__("configuration_invalid", "\n".join([message, *self.findings]), advice)


class StoreDamaged(PinyonError):
    """Stored bytes that fail their check; names the file and the place."""
