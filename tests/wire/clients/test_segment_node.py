"""npm @segment/analytics-node 3.1.0, unmodified."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "node" / "send.cjs"


@pytest.fixture
def send(node_modules):
    """``send(server, **options)`` sends one event of each type; its report."""

    def run(server, write_key="wk_shop", **options):
        done = subprocess.run(
            [shutil.which("node"), SCRIPT],
            input=json.dumps({"writeKey": write_key, "host": server.url} | options),
            env=os.environ | {"NODE_PATH": str(node_modules)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.mark.parametrize("flush_at", [1, 15])
def test_every_call_lands(server, send, flush_at):
    report = send(server, flushAt=flush_at)
    assert report["errors"] == []
    assert len(report["delivered"]) == 7
    events = {event.message_id: event.type for event in server.events()}
    (generated,) = (message_id for message_id in events if message_id.startswith("node-next-"))
    assert events == {
        "m-identify": "identify",
        "m-track": "track",
        "m-page": "page",
        "m-screen": "screen",
        "m-group": "group",
        "m-alias": "alias",
        generated: "track",
    }
    assert set(report["delivered"]) == set(events)
    bodies = {body["messageId"]: body for body in server.bodies()}
    assert bodies["m-identify"]["traits"] == {"email": "jane@example.com"}
    assert bodies["m-track"]["properties"] == {"order_id": "o-1", "revenue": 12.5}
    assert bodies["m-track"]["timestamp"] == "2026-11-23T10:00:00.000Z"
    assert bodies["m-alias"]["previousId"] == "a-1"
    assert bodies[generated]["properties"] == {"note": "a\ufffdb"}
    submission = server.submissions()[0]
    assert submission.user_agent == "analytics-node-next/latest"
    assert abs(submission.received_at - submission.sent_at) < 60
    assert server.rejections() == []


def test_it_tries_again_after_a_503(server, send, unavailable):
    server.refuse(unavailable)
    report = send(server)
    assert report["errors"] == []
    assert server.answers.next() == (503, "disk_full")
    assert server.answers.next() == (200, "ok")
    assert len(server.events()) == 7


def test_it_does_not_try_a_refused_request_again(server, send):
    report = send(server, write_key="wk_nobody")
    assert report["delivered"] == []
    assert {error["code"] for error in report["errors"]} == {"delivery_failure"}
    assert server.answers.queue.qsize() == 1
    assert server.events() == []
