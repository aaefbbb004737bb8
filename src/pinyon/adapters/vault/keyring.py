"""Keys at rest: one master key wraps one data key for each workspace.

Cipher: AES-256-GCM with a random 96-bit nonce, stored before the ciphertext. NIST SP 800-38D (8.3) asks for at
most 2**32 seals with one key so that a nonce is repeated with a chance below 2**-32; at 100 seals a second, day
and night, that is 16 months. Beyond it the chance grows slowly: below one in a million up to 2**38 seals.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from pinyon.domain.errors import ConfigurationInvalid, StoreDamaged

#: Length in bytes of the master key and of a data key.
SECRET_BYTES: Final = 32

_NONCE_BYTES: Final = 12
_FORMS: Final = "32 bytes as 64 hexadecimal digits or as base64"


class DataKey:
    """Seals and opens what belongs to one workspace."""

    def __init__(self, workspace_id: str, secret: bytes) -> None:
        self._workspace = workspace_id.encode() + b"\0"
        self._cipher = AESGCM(secret)

    def seal(self, plain: bytes, context: bytes) -> bytes:
        """``plain``, sealed; opens only under the same ``context``, which says what it is and which one."""
        return _seal(self._cipher, plain, self._workspace + context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """The plain bytes. Raises ``StoreDamaged`` when they are not what was sealed in this context."""
        plain = _open(self._cipher, sealed, self._workspace + context)
        if plain is None:
            raise StoreDamaged(
                "seal_broken",
                "Sealed data does not match its seal: it was changed, or it belongs elsewhere.",
                "Restore the file from a backup.",
            )
        return plain


class Keyring:
    """Holds the master key; makes and unwraps data keys."""

    def __init__(self, master: bytes) -> None:
        if len(master) != SECRET_BYTES:
            raise ConfigurationInvalid(f"The secret key has {len(master)} bytes, not {SECRET_BYTES}.")
        self._cipher = AESGCM(master)

    @classmethod
    def from_text(cls, text: str) -> Keyring:
        """The keyring of a master key in hexadecimal or base64. Raises ``ConfigurationInvalid``."""
        return cls(_decode(text))

    @classmethod
    def from_file(cls, path: Path, *, create: bool = False) -> Keyring:
        """The keyring of the master key in a file: text as in ``from_text``, or the 32 bytes themselves.

        With ``create`` a missing file is made with a new random key, readable by its owner only; of several
        processes that start together, all get the same key. Raises ``ConfigurationInvalid``.
        """
        if create and not path.exists():
            _create(path)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ConfigurationInvalid(f"The secret key file {path} cannot be read: {error.strerror}.") from error
        if len(content) == SECRET_BYTES:
            return cls(content)
        try:
            return cls.from_text(content.decode("ascii"))
        except (UnicodeDecodeError, ConfigurationInvalid) as error:
            raise ConfigurationInvalid(f"The secret key file {path} does not hold {_FORMS}.") from error

    def new_key(self, workspace_id: str) -> tuple[DataKey, bytes]:
        """A new random data key, and its wrapped form to be stored."""
        secret = secrets.token_bytes(SECRET_BYTES)
        return DataKey(workspace_id, secret), _seal(self._cipher, secret, _wrapping(workspace_id))

    def unwrap(self, workspace_id: str, wrapped: bytes) -> DataKey:
        """The data key of a wrapped form. Raises ``StoreDamaged`` when the master key is another one."""
        secret = _open(self._cipher, wrapped, _wrapping(workspace_id))
        if secret is None:
            raise StoreDamaged(
                "secret_key_wrong",
                f"The data key of workspace {workspace_id} does not open with this secret key.",
                "Start with the secret key that the data was written with "
                "(PINYON_SECRET_KEY or PINYON_SECRET_KEY_FILE); without it the data cannot be read.",
            )
        return DataKey(workspace_id, secret)


def _seal(cipher: AESGCM, plain: bytes, context: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plain, context)


def _open(cipher: AESGCM, sealed: bytes, context: bytes) -> bytes | None:
    """The plain bytes, or nothing when the seal is broken."""
    try:
        return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context)
    except (InvalidTag, ValueError):  # ValueError: too short to hold a nonce
        return None


def _wrapping(workspace_id: str) -> bytes:
    return b"data key\0" + workspace_id.encode()


def _decode(text: str) -> bytes:
    text = text.strip()
    try:
        if len(text) == 2 * SECRET_BYTES:
            return bytes.fromhex(text)
        padded = text + "=" * (-len(text) % 4)
        secret = base64.b64decode(padded.replace("-", "+").replace("_", "/"), validate=True)
    except (ValueError, binascii.Error):
        secret = b""
    if len(secret) != SECRET_BYTES:
        # The text itself must not be shown: it may be nearly the key.
        raise ConfigurationInvalid(f"The secret key is not {_FORMS}.", advice="Make one with: openssl rand -hex 32")
    return secret


def _create(path: Path) -> None:
    """Write a new key under a name of its own, then link it: no process sees half a file, one process wins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_hex(SECRET_BYTES).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # else the key may be gone after a power loss while data sealed with it is not
    finally:
        os.close(folder)
