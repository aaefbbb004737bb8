"""Starting and stopping."""

import asyncio
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from sandbox_calls import NOW, TOKEN, bearer, client_of, event, running, send, stats

from pinyon.sandbox import SandboxConfig, serve_until

SERVE = "from pinyon.sandbox import serve; serve(port=0, ready=lambda port: print(port, flush=True))"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_and_it_has_written_nothing(number):
    command = [sys.executable, "-c", SERVE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        base_url = f"http://127.0.0.1:{int(process.stdout.readline())}"
        with client_of(base_url) as client:
            assert send(client, event(event_time=1)).status_code == 422
            assert send(client, "no event").status_code == 400
            assert send(client, event(), token="pina_other").status_code == 401
            process.send_signal(number)
            assert process.wait(timeout=30) == 0
        assert process.stdout.read() == ""


def test_requests_left_hanging_are_let_go_when_it_stops():
    arrived = threading.Semaphore(0)

    def now() -> float:
        arrived.release()
        return NOW

    with ThreadPoolExecutor(3) as pool:
        with running(SandboxConfig(now=now, faults="timeout=1")) as base_url:

            def hang() -> int:
                with client_of(base_url) as client:
                    return send(client, event()).status_code

            hanging = [pool.submit(hang) for _ in range(3)]
            # The clock is read when a request arrives and once more before it is left hanging.
            for _ in range(6):
                assert arrived.acquire(timeout=30)
        assert [call.result() for call in hanging] == [504] * 3


def test_a_body_that_never_comes_does_not_keep_it():
    with socket.socket() as stuck, running(SandboxConfig()) as base_url:
        url = httpx2.URL(base_url)
        stuck.connect((url.host, url.port))
        stuck.sendall(
            b"POST /v5/ad_accounts/1/events HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\nexpect: 100-continue\r\n\r\n"
        )
        # The server has read the head when it asks for the body.
        assert stuck.recv(100).startswith(b"HTTP/1.1 100")
        stuck.sendall(b"1")


def test_a_taken_port_is_refused():
    with running(SandboxConfig()) as base_url:
        port = httpx2.URL(base_url).port
        with pytest.raises(OSError, match="in use"):
            asyncio.run(serve_until(asyncio.Event(), SandboxConfig(), port=port))


def test_sandboxes_share_nothing():
    with (
        running(SandboxConfig()) as one,
        running(SandboxConfig()) as other,
        client_of(one) as first,
        client_of(other) as second,
    ):
        send(first, event())
        assert (stats(first)["requests"], stats(second)["requests"]) == (1, 0)


def test_many_clients_at_once_are_all_answered():
    config = SandboxConfig(now=lambda: NOW, rate_limit_per_minute=0)
    with running(config) as base_url, ThreadPoolExecutor(16) as pool:
        limits = httpx2.Limits(max_connections=200, max_keepalive_connections=200)
        with httpx2.Client(base_url=base_url, headers=bearer(TOKEN), limits=limits, timeout=30) as client:
            codes = list(pool.map(lambda number: send(client, event(f"e{number}")).status_code, range(400)))
            assert codes == [200] * 400
            assert stats(client)["unique_events"] == 400
