"""Content-Encoding, with a bound on the decoded size."""

from __future__ import annotations

import zlib
from typing import Final

import zstandard

from pinyon.flows.collect.faults import BATCH_TOO_LARGE, ENCODING_CORRUPT, ENCODING_UNKNOWN

# Source: RFC 8878, 3.1.1.1.2: decoders should support windows of 8 MB; a frame may ask for far more memory.
_MAX_WINDOW: Final = 8 * 1024 * 1024

_GZIP: Final = 16 + zlib.MAX_WBITS
_RAW_DEFLATE: Final = -zlib.MAX_WBITS


def decode(body: bytes, encoding: bytes, limit: int) -> bytes:
    """The body as it was before it was compressed; never more than ``limit`` bytes are inflated.

    Raises ``RequestRefused`` (batch_too_large, encoding_unknown, encoding_corrupt).
    """
    match encoding.strip().lower():
        case b"" | b"identity":
            return body
        case b"gzip" | b"x-gzip":
            return _inflate(body, _GZIP, limit)
        case b"deflate":
            return _inflate(body, zlib.MAX_WBITS if _has_zlib_header(body) else _RAW_DEFLATE, limit)
        case b"zstd":
            return _unzstd(body, limit)
        case _:
            raise ENCODING_UNKNOWN.refusal()


def _inflate(body: bytes, window: int, limit: int) -> bytes:
    inflater = zlib.decompressobj(window)
    try:
        decoded = inflater.decompress(body, limit + 1)
    except zlib.error as error:
        raise ENCODING_CORRUPT.refusal() from error
    if len(decoded) > limit:
        raise BATCH_TOO_LARGE.refusal()
    if not inflater.eof or inflater.unused_data:
        raise ENCODING_CORRUPT.refusal()
    return decoded


def _has_zlib_header(body: bytes) -> bool:
    """RFC 9110 means the zlib form by deflate, some clients send the raw one. Source: RFC 1950, 2.2."""
    return len(body) >= 2 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0


def _unzstd(body: bytes, limit: int) -> bytes:
    # ``decompress`` is bounded by the size that the frame states, by our limit only where it states none.
    # ``stream_reader`` alone would not do: it takes a frame that ends too early for a short one.
    decompressor = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW)
    try:
        size = zstandard.frame_content_size(body)  # -1 where the frame does not say
        if size > limit or (size < 0 and len(decompressor.stream_reader(body).read(limit + 1)) > limit):
            raise BATCH_TOO_LARGE.refusal()
        return decompressor.decompress(body, max_output_size=limit)
    except zstandard.ZstdError as error:
        raise ENCODING_CORRUPT.refusal() from error
