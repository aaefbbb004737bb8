"""Around collecting: who sends, health, metrics, faces, lifespan."""

import json
from contextlib import asynccontextmanager

import httpx2
import pytest
from exchange import BATCH
from structlog.testing import capture_logs

from pinyon.domain.errors import ConfigurationInvalid
from pinyon.endpoints.application import create_application
from pinyon.endpoints.collect.peer import TrustedProxies
from pinyon.testing.running import in_loop

# Who sends


def test_the_client_is_noted(server, http):
    headers = {"User-Agent": b"shop/1 \xfc" + b"x" * 2_000, "X-Forwarded-For": b"1.1.1.1"}
    http.post("/v1/batch", json=BATCH, headers=headers)
    submission = server.submissions()[0]
    assert submission.ip == "127.0.0.1"
    assert submission.user_agent.startswith("shop/1 \u00fcx")
    assert len(submission.user_agent) == 1024


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["6.6.6.6, 203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["6.6.6.6", "203.0.113.9, 10.0.0.2"], "203.0.113.9"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["203.0.113.9:4711"], "203.0.113.9"),
        ("10.0.0.1", ["[2001:db8::9]:4711"], "2001:db8::9"),
        ("10.0.0.1", ["2001:db8::9"], "2001:db8::9"),
        ("10.0.0.1", ["::ffff:203.0.113.9"], "203.0.113.9"),
        ("::ffff:10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
        ("10.0.0.1", ["unknown"], "10.0.0.1"),
        ("10.0.0.1", ["6.6.6.6, unknown"], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("198.51.100.7", ["203.0.113.9"], "198.51.100.7"),
    ],
)
def test_the_client_behind_trusted_proxies(peer, forwarded, client):
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    scope = {"client": (peer, 4711), "headers": headers}
    assert TrustedProxies(["10.0.0.0/8"]).client(scope) == client
    assert TrustedProxies([]).client(scope) == peer
    assert TrustedProxies(["10.0.0.0/8"]).client({"client": None, "headers": headers}) is None


def test_a_proxy_that_is_no_address_is_refused():
    with pytest.raises(ConfigurationInvalid, match=r"PINYON_TRUSTED_PROXIES.*'proxy\.example'"):
        TrustedProxies(["10.0.0.0/8", "proxy.example"])


# Health, and the application around


def test_health(server):
    assert httpx2.get(f"{server.url}/health").json() == {"status": "alive"}
    assert httpx2.head(f"{server.url}/health/").status_code == 200
    assert httpx2.get(f"{server.url}/ready").json() == {"status": "ready"}
    server.troubles.append("The disk is full.")
    response = httpx2.get(f"{server.url}/ready")
    assert response.status_code == 503
    assert response.json() == {"status": "not_ready", "reasons": ["The disk is full."]}


def test_metrics(server):
    response = httpx2.get(f"{server.url}/metrics")
    assert response.text == "pinyon_up 1\n"
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"


def naming(name):
    async def face(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": name.encode()})

    return face


def test_faces_are_found_by_the_longest_prefix(collecting):
    faces = {prefix: naming(prefix) for prefix in ("/v1", "/v1/admin", "/console/")}
    server = collecting(faces=faces)

    def body(path):
        return httpx2.get(server.url + path).text

    assert body("/v1/admin") == "/v1/admin"
    assert body("/v1/admin/sources") == "/v1/admin"
    assert body("/v1/administration") == "/v1"
    assert body("/console/") == "/console/"
    assert body("/console/events") == "/console/"
    assert json.loads(body("/consoles"))["code"] == "not_found"
    assert json.loads(body("/v1/batch"))["code"] == "method_not_allowed"


@in_loop
async def test_the_lifespan_surrounds_all_requests(server):
    steps = []

    @asynccontextmanager
    async def lifespan():
        steps.append("open")
        yield
        steps.append("closed")

    messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])

    async def receive():
        return next(messages)

    async def send(message):
        steps.append(message["type"])

    application = create_application(server.endpoint, server.health, lifespan=lifespan)
    await application({"type": "lifespan"}, receive, send)
    assert steps == ["open", "lifespan.startup.complete", "closed", "lifespan.shutdown.complete"]


@in_loop
async def test_a_start_that_fails_is_told(server):
    @asynccontextmanager
    async def lifespan():
        raise OSError("jane@example.com")
        yield

    sent = []

    async def receive():
        return {"type": "lifespan.startup"}

    async def send(message):
        sent.append(message)

    application = create_application(server.endpoint, server.health, lifespan=lifespan)
    with capture_logs() as lines, pytest.raises(OSError, match="jane"):
        await application({"type": "lifespan"}, receive, send)
    assert sent == [{"type": "lifespan.startup.failed", "message": "OSError"}]
    assert "jane" not in str(lines)
