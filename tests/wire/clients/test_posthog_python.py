"""PyPI posthog 7.91.1, unmodified, in both of its wire forms."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from posthog import Posthog

from pinyon.domain.posthog import to_segment

WHEN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
FORMS = [
    {},
    {"gzip": True},
    {"capture_mode": "v1"},
    {"capture_mode": "v1", "capture_compression": "gzip"},
    {"capture_mode": "v1", "capture_compression": "deflate"},
    {"capture_mode": "v1", "capture_compression": "zstd"},
]


@pytest.fixture
def connect():
    """``connect(server, **options)`` gives a client and the list of (error, batch) that it reports."""
    clients = []

    def make(server, write_key="wk_shop", **options):
        errors = []
        client = Posthog(write_key, host=server.url, on_error=lambda *args: errors.append(args), **options)
        clients.append(client)
        return client, errors

    yield make
    for client in clients:
        client.shutdown()


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_every_call_lands(server, connect, form):
    client, errors = connect(server, **form)
    order = {"order_id": "o-1", "revenue": 12.5, "$set": {"email": "jane@example.com"}}
    sent = client.capture("Order Completed", distinct_id="u-1", properties=order, timestamp=WHEN)
    client.capture("$pageview", distinct_id="u-1", properties={"$current_url": "https://shop.example.com/"})
    client.capture("$screen", distinct_id="u-1", properties={"$screen_name": "Home"})
    client.capture("Product Viewed")
    client.set(distinct_id="u-1", properties={"email": "jane@example.com"})
    client.set_once(distinct_id="u-1", properties={"plan": "a"})
    client.group_identify("company", "g-1", {"name": "ACME"}, distinct_id="u-1")
    client.alias("a-1", "u-1")
    client.flush()
    assert errors == []
    kinds = ["track", "page", "screen", "track", "identify", "identify", "group", "alias"]
    events = server.events()
    assert [event.type for event in events] == kinds
    assert events[0].message_id == sent
    assert all(UUID(event.message_id) for event in events)
    assert [event["type"] for event in map(to_segment, server.bodies())] == kinds
    translated = to_segment(server.bodies()[0])
    assert translated["userId"] == "u-1"
    assert translated["properties"]["revenue"] == 12.5
    assert translated["context"]["traits"] == {"email": "jane@example.com"}
    submission = server.submissions()[0]
    assert submission.dialect == "posthog"
    assert submission.user_agent == "posthog-python/7.91.1"
    assert abs(submission.received_at - submission.sent_at) < 60
    assert server.rejections() == []


def test_events_of_models_land(server, connect):
    client, errors = connect(server)
    client.capture_ai("$ai_generation", distinct_id="u-1", properties={"$ai_model": "m"})
    client.flush()
    assert errors == []
    assert [body["event"] for body in server.bodies()] == ["$ai_generation"]


@pytest.mark.parametrize("form", [{}, {"capture_mode": "v1"}], ids=str)
def test_it_tries_again_after_a_503(server, connect, unavailable, form):
    server.refuse(unavailable)
    client, errors = connect(server, **form)
    sent = client.capture("Order Completed", distinct_id="u-1")
    client.flush()
    assert server.answers.next() == (503, "disk_full")
    assert server.answers.next() == (200, "ok")
    assert [event.message_id for event in server.events()] == [sent]
    assert errors == []


@pytest.mark.parametrize("form", [{}, {"capture_mode": "v1"}], ids=str)
def test_it_understands_a_refusal_and_does_not_try_again(server, connect, form):
    client, errors = connect(server, write_key="wk_nobody", **form)
    client.capture("Order Completed", distinct_id="u-1")
    client.flush()
    (error, _), *others = errors
    assert others == []
    assert error.status == 401
    assert "No source has this write key." in str(error)
    assert server.answers.queue.qsize() == 1


def test_its_second_form_hears_which_events_are_dropped(collecting, connect):
    server = collecting(max_event_bytes=1_000)
    client, errors = connect(server, capture_mode="v1")
    client.capture("Order Completed", distinct_id="u-1")
    large = client.capture("Order Completed", distinct_id="u-1", properties={"text": "x" * 1_000})
    client.flush()
    (error, _), *others = errors
    assert others == []
    ((dropped, details),) = error.drops
    assert dropped == large
    assert "PINYON_MAX_EVENT_BYTES" in details
    assert len(server.events()) == 1
    assert [rejection.message_id for rejection in server.rejections()] == [large]
