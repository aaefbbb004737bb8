"""Bodies over a real socket: encodings, limits, and clients that misbehave."""

import gzip
import json
import socket
import tracemalloc
import zlib
from contextlib import closing

import httpx2
import pytest
import zstandard
from exchange import BATCH, EVENT, LONG, SUCCESS, code, head, raw, read_answer
from hypothesis import given, settings
from hypothesis import strategies as st

from pinyon.domain.errors import RequestRefused
from pinyon.endpoints.collect.encoding import decode

# Encodings


def raw_deflate(data):
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


def zstd_of_unknown_size(data):
    compressor = zstandard.ZstdCompressor().compressobj()
    return compressor.compress(data) + compressor.flush()


ENCODINGS = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("X-GZIP", gzip.compress),
    "zlib": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw_deflate),
    "zstd": ("zstd", zstandard.ZstdCompressor().compress),
    "zstd of unknown size": ("zstd", zstd_of_unknown_size),
    "identity": ("identity", bytes),
}
COMPRESSED = [name for name in ENCODINGS if name != "identity"]


@pytest.mark.parametrize("name", ENCODINGS)
def test_encoded_bodies_are_read(server, http, name):
    encoding, encode = ENCODINGS[name]
    response = http.post(
        "/v1/batch", content=encode(json.dumps(BATCH).encode()), headers={"Content-Encoding": encoding}
    )
    assert response.content == SUCCESS
    assert len(server.events()) == 2


@pytest.mark.parametrize("name", ENCODINGS)
def test_the_bound_holds_for_the_decoded_size(collecting, name):
    encoding, encode = ENCODINGS[name]
    server = collecting(max_batch_bytes=100_000)
    filler = {"properties": {"text": "x" * 30_000}}
    for events, expected in ((3, 200), (4, 413)):
        body = json.dumps({"batch": [EVENT | filler] * events, "writeKey": "wk_shop"}).encode()
        headers = {"Content-Encoding": encoding}
        response = httpx2.post(f"{server.url}/v1/batch", content=encode(body), headers=headers)
        assert response.status_code == expected
    assert response.json()["code"] == "batch_too_large"
    assert len(server.events()) == 3


@pytest.mark.parametrize("name", COMPRESSED)
def test_a_bomb_is_refused(http, name):
    encoding, encode = ENCODINGS[name]
    response = http.post("/v1/batch", content=encode(b"0" * 50_000_000), headers={"Content-Encoding": encoding})
    assert code(response) == (413, "batch_too_large")


@pytest.mark.parametrize("name", COMPRESSED)
def test_a_bomb_is_not_inflated(name):
    encoding, encode = ENCODINGS[name]
    bomb = encode(b"0" * 50_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(RequestRefused):
            decode(bomb, encoding.encode(), 100_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.parametrize("name", COMPRESSED)
@pytest.mark.parametrize("damage", [lambda data: data[:-5], lambda data: b"{" + data, lambda _: b""])
def test_a_damaged_body_is_refused(server, http, name, damage):
    encoding, encode = ENCODINGS[name]
    body = damage(encode(json.dumps(BATCH).encode()))
    assert code(http.post("/v1/batch", content=body, headers={"Content-Encoding": encoding})) == (
        400,
        "encoding_corrupt",
    )
    assert server.events() == []


@pytest.mark.parametrize("encoding", ["br", "compress", "gzip, gzip", "nonsense"])
def test_other_encodings_are_refused(http, encoding):
    response = http.post("/v1/batch", content=b"{}", headers={"Content-Encoding": encoding})
    assert code(response) == (415, "encoding_unknown")


@settings(deadline=None)
@given(
    st.binary(max_size=300) | st.binary(max_size=300).map(gzip.compress) | st.binary(max_size=300).map(zlib.compress),
    st.sampled_from([b"", b"gzip", b"deflate", b"zstd", b"br"]),
)
def test_no_bytes_harm_the_decoder(body, encoding):
    try:
        answer = decode(body, encoding, 200)
    except RequestRefused as error:
        answer = error
    if isinstance(answer, RequestRefused):
        assert answer.code in {"batch_too_large", "encoding_corrupt", "encoding_unknown"}
    else:
        assert len(answer) <= (200 if encoding else len(body))


# Limits and clients that misbehave


def test_a_declared_size_beyond_the_bound_is_refused_before_the_body_comes(server):
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=LONG)) as connection:
        connection.sendall(head(Content_Length=10**9))
        status, _, body = read_answer(connection)
        assert (status, json.loads(body)["code"]) == (413, "batch_too_large")
        with pytest.raises(ConnectionError):  # nobody reads the body
            connection.sendall(bytes(50_000_000))


def test_a_body_in_chunks_is_read(server):
    body = json.dumps(BATCH).encode()
    chunks = [b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (body[:10], body[10:11], body[11:])]
    status, _, answer = raw(server, head(Transfer_Encoding="chunked"), *chunks, b"0\r\n\r\n")
    assert (status, answer) == (200, SUCCESS)
    assert len(server.events()) == 2


def test_a_body_in_chunks_is_refused_as_soon_as_it_passes_the_bound(collecting):
    server = collecting(max_batch_bytes=1_000)
    chunk = b"%x\r\n%s\r\n" % (1_001, b"x" * 1_001)
    status, _, answer = raw(server, head(Transfer_Encoding="chunked"), chunk)
    assert (status, json.loads(answer)["code"]) == (413, "batch_too_large")


def test_too_many_events_are_refused(collecting):
    server = collecting(max_batch_events=1)
    response = httpx2.post(f"{server.url}/v1/batch", json=BATCH | {"writeKey": "wk_shop"})
    assert code(response) == (413, "too_many_events")
    assert server.events() == []


def test_an_event_beyond_the_bound_is_refused(collecting):
    server = collecting(max_event_bytes=100)
    large = EVENT | {"properties": {"text": "x" * 1_000}}
    response = httpx2.post(f"{server.url}/v1/batch", json={"batch": [EVENT, large], "writeKey": "wk_shop"})
    assert response.content == SUCCESS
    assert len(server.events()) == 1
    assert [rejection.code for rejection in server.rejections()] == ["event_too_large"]


def test_a_slow_body_is_not_waited_for(collecting):
    server = collecting(body_timeout="200ms")
    body = json.dumps(BATCH).encode()
    status, headers, answer = raw(server, head(Content_Length=len(body)) + body[:-1])
    assert (status, json.loads(answer)["code"]) == (408, "body_timeout")
    assert headers["retry-after"] == "1"
    assert server.events() == []
    assert httpx2.post(f"{server.url}/v1/batch", json=BATCH | {"writeKey": "wk_shop"}).content == SUCCESS


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_body_that_breaks_off_is_not_stored(server, http, framing):
    body = json.dumps(BATCH).encode()
    if framing == "length":
        start = head(Content_Length=len(body) + 1) + body
    else:
        start = head(Transfer_Encoding="chunked") + b"%x\r\n%s\r\n" % (len(body), body)
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=LONG)) as connection:
        connection.sendall(start)
    assert server.answers.next() == (400, "body_incomplete")
    assert server.events() == []
    assert http.post("/v1/batch", json=BATCH).content == SUCCESS


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00" * 1_000,
        b"[" * 400_000,
        b'{"batch":[{"type":"\xff"}]}',
        b'{"batch":[' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"]",
        b'{"batch":["' + b"x" * 400_000,
    ],
)
def test_a_body_that_cannot_be_read_does_no_harm(server, http, body):
    assert code(http.post("/v1/batch", content=body)) == (400, "malformed_json")
    assert http.post("/v1/batch", json=BATCH).content == SUCCESS
    assert len(server.events()) == 2


def test_a_text_of_a_megabyte_costs_only_its_event(collecting):
    server = collecting(max_batch_bytes=2_000_000)
    large = EVENT | {"properties": {"text": "x" * 1_000_000}}
    response = httpx2.post(f"{server.url}/v1/batch", json={"batch": [large, EVENT], "writeKey": "wk_shop"})
    assert response.content == SUCCESS
    assert len(server.events()) == 1
