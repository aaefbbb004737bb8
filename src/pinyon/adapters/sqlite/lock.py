"""One writer for a folder."""

from __future__ import annotations

import fcntl
from pathlib import Path

from pinyon.domain.errors import PinyonError


class FolderLock:
    """Held until ``release`` or the end of the process, however it ends."""

    def __init__(self, path: Path) -> None:
        """Raises ``PinyonError`` with code ``store_locked`` when another holds it."""
        self._file = path.open("a")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise PinyonError(
                "store_locked",
                f"Another process writes to {path.parent}.",
                "Stop it, or give this one a data folder of its own.",
            ) from error

    def release(self) -> None:
        self._file.close()
