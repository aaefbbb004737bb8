"""Requests and answers as bytes on a socket, for what no client library would send."""

import base64
import socket
from contextlib import closing

#: Seconds after which a wait is taken to hang.
LONG = 60.0
KEY = base64.b64encode(b"wk_shop:").decode()
EVENT = {"type": "track", "event": "Order Completed", "messageId": "m-1", "userId": "u-1"}
BATCH = {"batch": [EVENT, EVENT | {"messageId": "m-2"}]}
SUCCESS = b'{"success": true}'


def code(response):
    """The code of an error that says all that clients need."""
    body = response.json()
    assert set(body) == {"code", "message", "detail"}
    assert body["message"]
    assert body["detail"].startswith(body["message"])
    return response.status_code, body["code"]


def raw(server, *pieces):
    """What a server answers to these bytes, until it closes the connection or the answer is whole."""
    with closing(socket.create_connection(("127.0.0.1", server.port), timeout=LONG)) as connection:
        for piece in pieces:
            connection.sendall(piece)
        return read_answer(connection)


def read_answer(connection):
    """Status, headers (names in lower case) and body of one answer."""
    stream = connection.makefile("rb")
    status = int(stream.readline().split()[1])
    headers = {}
    while line := stream.readline().strip():
        name, _, value = line.decode().partition(":")
        headers[name.lower()] = value.strip()
    return status, headers, stream.read(int(headers.get("content-length", 0)))


def head(path="/v1/batch", **headers):
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Authorization: Basic {KEY}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
