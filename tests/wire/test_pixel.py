"""Events in the URL of an image."""

import base64
import json

import httpx2
import pytest
from exchange import EVENT, code


def pixel(server, kind="track", **query):
    return httpx2.get(f"{server.url}/v1/pixel/{kind}", params=query)


def test_an_event_in_the_url_of_an_image(server):
    response = pixel(
        server,
        writeKey="wk_shop",
        event="Email Opened",
        userId="u-1",
        campaign="spring",
        **{"properties.total": "3", "context.ip": "203.0.113.9", "traits.plan": "b"},
    )
    assert response.status_code == 200
    assert response.headers["content-type"] == "image/gif"
    assert response.headers["cache-control"] == "no-store"
    assert server.events()[0].type == "track"
    assert server.bodies() == [
        {
            "writeKey": "wk_shop",
            "event": "Email Opened",
            "userId": "u-1",
            "properties": {"campaign": "spring", "total": "3"},
            "context": {"ip": "203.0.113.9"},
            "traits": {"plan": "b"},
        }
    ]


def test_the_image_is_one_transparent_pixel(server):
    """Read by the GIF89a specification, sections 17 to 27."""
    image = pixel(server, writeKey="wk_shop", event="e", userId="u").content
    assert image[:6] == b"GIF89a"
    assert (int.from_bytes(image[6:8], "little"), int.from_bytes(image[8:10], "little")) == (1, 1)
    table = 3 * 2 ** ((image[10] & 7) + 1)
    control = image[13 + table :]
    assert control[:3] == b"\x21\xf9\x04"
    assert control[3] & 1  # a transparent colour is given
    assert image[-1:] == b";"


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("padding", ["=", ""])
def test_an_event_in_base64(server, encode, padding):
    event = EVENT | {"writeKey": "wk_shop", "properties": {"text": "???>>>~~~\u00fc"}}
    data = encode(json.dumps(event, ensure_ascii=False).encode()).decode()
    response = pixel(server, data=data if padding else data.rstrip("="))
    assert response.status_code == 200
    assert server.bodies() == [event]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"event": "e", "userId": "u"}, (401, "write_key_missing")),
        ({"writeKey": "wk_shop", "event": "e"}, (400, "ids_missing")),
        ({"writeKey": "wk_shop", "data": "%%%"}, (400, "data_invalid")),
        ({"writeKey": "wk_shop", "data": "AAAA"}, (400, "malformed_json")),
        ({"writeKey": "wk_shop"} | {str(n): "x" for n in range(200)}, (400, "query_invalid")),
    ],
)
def test_a_pixel_without_an_event_is_refused(server, query, expected):
    assert code(pixel(server, **query)) == expected
    assert server.events() == []


def test_traits_of_a_pixel(server):
    pixel(server, "identify", writeKey="wk_shop", userId="u", plan="b")
    assert server.bodies()[0]["traits"] == {"plan": "b"}
