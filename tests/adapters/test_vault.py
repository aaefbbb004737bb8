"""Keys and seals."""

from __future__ import annotations

import base64
import multiprocessing
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinyon.adapters.vault import DataKey, Keyring
from pinyon.domain.errors import ConfigurationInvalid, StoreDamaged

MASTER = bytes(range(32))


@pytest.mark.parametrize(
    "text",
    [
        MASTER.hex(),
        MASTER.hex().upper(),
        f"  {MASTER.hex()}\n",
        base64.b64encode(MASTER).decode(),
        base64.b64encode(MASTER).decode().rstrip("="),
        base64.urlsafe_b64encode(MASTER).decode(),
    ],
)
def test_a_master_key_is_read_from_text(text):
    _, wrapped = Keyring(MASTER).new_key("ws_a")
    Keyring.from_text(text).unwrap("ws_a", wrapped)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "password",
        MASTER.hex()[:-2],
        MASTER.hex() + "00",
        "zz" * 32,
        base64.b64encode(MASTER[:31]).decode(),
        "é" * 64,
    ],
)
def test_another_text_is_refused_and_not_shown(text):
    with pytest.raises(ConfigurationInvalid, match="secret key") as caught:
        Keyring.from_text(text)
    assert not text or text not in str(caught.value)
    with pytest.raises(ConfigurationInvalid):
        Keyring(text.encode())


def test_a_master_key_file_is_made_once_for_its_owner(tmp_path):
    path = tmp_path / "new" / "secret.key"
    with pytest.raises(ConfigurationInvalid, match=r"secret\.key"):
        Keyring.from_file(path)
    _, wrapped = Keyring.from_file(path, create=True).new_key("ws_a")
    Keyring.from_file(path, create=True).unwrap("ws_a", wrapped)
    Keyring.from_file(path).unwrap("ws_a", wrapped)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["secret.key"]


def test_a_master_key_file_may_hold_text_or_bytes(tmp_path):
    _, wrapped = Keyring(MASTER).new_key("ws_a")
    for content in (MASTER, MASTER.hex().encode() + b"\n", base64.b64encode(MASTER)):
        (tmp_path / "key").write_bytes(content)
        Keyring.from_file(tmp_path / "key").unwrap("ws_a", wrapped)
    for content in (b"", MASTER + b"\n", b"\xff" * 64):
        (tmp_path / "key").write_bytes(content)
        with pytest.raises(ConfigurationInvalid, match="key"):
            Keyring.from_file(tmp_path / "key")


def make_key(path):
    """Run by several processes: the wrapped key says which master key each of them got."""
    return Keyring.from_file(path, create=True).new_key("ws_a")[1]


def test_processes_that_start_together_share_one_key(tmp_path):
    path = tmp_path / "secret.key"
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        wrapped = pool.map(make_key, [path] * 8, chunksize=1)
    keyring = Keyring.from_file(path)
    for each in wrapped:
        keyring.unwrap("ws_a", each)


@given(plain=st.binary(), context=st.binary(), workspace=st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_sealed_opens_after_unwrapping(plain, context, workspace):
    key, wrapped = Keyring(MASTER).new_key(workspace)
    sealed = key.seal(plain, context)
    assert Keyring(MASTER).unwrap(workspace, wrapped).open(sealed, context) == plain
    assert key.seal(plain, context) != sealed  # a nonce is not used again
    assert len(sealed) == len(plain) + 28


@given(plain=st.binary(), data=st.data())
def test_a_changed_seal_does_not_open(plain, data):
    key, _ = Keyring(MASTER).new_key("ws_a")
    sealed = bytearray(key.seal(plain, b"context"))
    position = data.draw(st.integers(0, len(sealed) - 1))
    sealed[position] ^= data.draw(st.integers(1, 255))
    for harmed in (bytes(sealed), bytes(sealed[:position])):
        with pytest.raises(StoreDamaged) as caught:
            key.open(harmed, b"context")
        assert caught.value.code == "seal_broken"


def test_a_seal_opens_in_its_own_context_and_workspace_only():
    keyring = Keyring(MASTER)
    key, wrapped = keyring.new_key("ws_a")
    other, _ = keyring.new_key("ws_a")
    sealed = key.seal(b"plain", b"chunk 1")
    with pytest.raises(StoreDamaged):
        key.open(sealed, b"chunk 2")
    with pytest.raises(StoreDamaged):
        other.open(sealed, b"chunk 1")
    with pytest.raises(StoreDamaged):
        keyring.unwrap("ws_b", wrapped)
    with pytest.raises(StoreDamaged):  # even if two workspaces had the same key
        DataKey("ws_b", MASTER).open(DataKey("ws_a", MASTER).seal(b"plain", b"chunk 1"), b"chunk 1")


def test_another_master_key_says_what_to_do():
    _, wrapped = Keyring(MASTER).new_key("ws_a")
    with pytest.raises(StoreDamaged, match="PINYON_SECRET_KEY") as caught:
        Keyring(bytes(32)).unwrap("ws_a", wrapped)
    assert caught.value.code == "secret_key_wrong"
