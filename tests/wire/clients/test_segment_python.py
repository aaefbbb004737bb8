"""PyPI segment-analytics-python 2.4.0, unmodified."""

from datetime import UTC, datetime

import pytest
from segment.analytics.client import Client

WHEN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@pytest.fixture
def connect():
    """``connect(server, **options)`` gives a client and the list of (error, batch) that it reports."""
    clients = []

    def make(server, write_key="wk_shop", **options):
        errors = []
        client = Client(write_key, host=server.url, on_error=lambda *args: errors.append(args), **options)
        clients.append(client)
        return client, errors

    yield make
    for client in clients:
        client.shutdown()


@pytest.mark.parametrize("gzip", [False, True])
def test_every_call_lands(server, connect, gzip):
    client, errors = connect(server, gzip=gzip)
    client.identify("u-1", {"email": "jane@example.com"}, timestamp=WHEN, message_id="m-identify")
    client.track("u-1", "Order Completed", {"order_id": "o-1", "revenue": 12.5}, timestamp=WHEN, message_id="m-track")
    client.page("u-1", "shop", "Home", {"url": "https://shop.example.com/"}, timestamp=WHEN, message_id="m-page")
    client.screen("u-1", "shop", "Home", timestamp=WHEN, message_id="m-screen")
    client.group("u-1", "g-1", {"name": "ACME"}, timestamp=WHEN, message_id="m-group")
    client.alias("a-1", "u-1", timestamp=WHEN, message_id="m-alias")
    client.track(anonymous_id="a-2", event="Product Viewed", message_id="m-anonymous")
    client.track(7, "Product Viewed", message_id="m-number")
    client.flush()
    assert errors == []
    kinds = {event.message_id: event.type for event in server.events()}
    assert kinds == {
        "m-identify": "identify",
        "m-track": "track",
        "m-page": "page",
        "m-screen": "screen",
        "m-group": "group",
        "m-alias": "alias",
        "m-anonymous": "track",
        "m-number": "track",
    }
    bodies = {body["messageId"]: body for body in server.bodies()}
    assert bodies["m-identify"]["traits"] == {"email": "jane@example.com"}
    assert bodies["m-track"]["properties"] == {"order_id": "o-1", "revenue": 12.5}
    assert bodies["m-track"]["timestamp"] == "2026-11-23T10:00:00.000+00:00"
    assert bodies["m-group"]["groupId"] == "g-1"
    assert bodies["m-alias"]["previousId"] == "a-1"
    assert bodies["m-anonymous"]["anonymousId"] == "a-2"
    submission = server.submissions()[0]
    assert submission.user_agent == "analytics-python/2.4.0"
    assert abs(submission.received_at - submission.sent_at) < 60
    assert server.rejections() == []


def test_it_tries_again_after_a_503(server, connect, unavailable):
    server.refuse(unavailable)
    client, errors = connect(server)
    client.track("u-1", "Order Completed", message_id="m-1")
    client.flush()
    assert server.answers.next() == (503, "disk_full")
    assert server.answers.next() == (200, "ok")
    assert [event.message_id for event in server.events()] == ["m-1"]
    assert errors == []


def test_what_python_writes_and_json_forbids_is_kept(server, connect):
    client, errors = connect(server)
    client.track("u-1", "Order Completed", {"revenue": float("nan"), "note": "a\ud800b"}, message_id="m-1")
    client.track("u-1", "Product Viewed", message_id="m-2")
    client.flush()
    assert errors == []
    assert [body["messageId"] for body in server.bodies()] == ["m-1", "m-2"]
    assert server.bodies()[0]["properties"] == {"revenue": None, "note": "a\ufffdb"}


def test_it_understands_a_refusal_and_does_not_try_again(server, connect):
    client, errors = connect(server, write_key="wk_nobody")
    client.track("u-1", "Order Completed", message_id="m-1")
    client.flush()
    (error, batch), *others = errors
    assert others == []
    assert (error.status, error.code) == (401, "invalid_write_key")
    assert error.message == "No source has this write key."
    assert [event["messageId"] for event in batch] == ["m-1"]
    assert server.answers.queue.qsize() == 1
