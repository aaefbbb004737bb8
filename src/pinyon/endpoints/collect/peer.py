"""Who is on the other end: the address behind proxies that are trusted, and no other."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Final

from pinyon.domain.errors import ConfigurationInvalid
from pinyon.endpoints.asgi import Scope

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: Characters of a User-Agent that are kept.
MAX_USER_AGENT: Final = 1024


class TrustedProxies:
    """Addresses and networks whose forwarding headers are believed.

    Raises ``ConfigurationInvalid`` for what is neither.
    """

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = [_network(text) for text in networks]

    def client(self, scope: Scope) -> str | None:
        """The address of the client; None where the server knows none, as on a Unix socket.

        Behind trusted proxies it is the right-most address of X-Forwarded-For that is not a trusted proxy: what
        stands further to the left was written by the client itself and may be invented.
        """
        peer: str | None = scope["client"][0] if scope.get("client") else None
        if not self._networks or peer is None:
            return peer
        address = _address(peer)
        for hop in reversed(_forwarded(scope)):
            if address is None or not self._trusts(address):
                break
            nearer = _address(hop)
            if nearer is None:
                break
            address, peer = nearer, str(nearer)
        return peer

    def forwarded_scheme(self, scope: Scope) -> str:
        """The scheme that the client used: http or https."""
        scheme: str = scope.get("scheme", "http")
        address = _address(scope["client"][0]) if scope.get("client") else None
        if address is not None and self._trusts(address):
            named = dict(scope["headers"]).get(b"x-forwarded-proto", b"")
            if named in (b"http", b"https"):
                return str(named.decode())
        return scheme

    def _trusts(self, address: _Address) -> bool:
        return any(address in network for network in self._networks)


def _network(text: str) -> _Network:
    try:
        return ipaddress.ip_network(text.strip(), strict=False)
    except ValueError as error:
        finding = f"PINYON_TRUSTED_PROXIES: {text.strip()!r} is neither an address nor a network."
        raise ConfigurationInvalid(
            "A setting cannot be used.", [finding], "Write addresses such as 10.0.0.7 or networks such as 10.0.0.0/8."
        ) from error


def _forwarded(scope: Scope) -> list[str]:
    values = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return [hop.strip() for hop in ",".join(values).split(",")] if values else []


def _address(text: str) -> _Address | None:
    """The address in ``1.2.3.4``, ``1.2.3.4:80``, ``::1`` or ``[::1]:80``."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
