"""Where an event happened: web, app or offline, and on which device."""

from __future__ import annotations

from typing import Any, Final

from pinyon.domain.conversion import AppFacts
from pinyon.domain.event import NO_PAGE, Event
from pinyon.domain.mapping.values import text

_FAMILIES: Final = {
    "ios": "ios",
    "iphone os": "ios",
    "ipados": "ios",
    "android": "android",
}


def os_family(event: Event) -> str | None:
    """ "ios" or "android" for an event of a mobile app; None for all else.

    A page in the context or the channel "web" tells a browser on a phone from an app.
    """
    context = event.context
    if context.page is not NO_PAGE or event.channel == "web":
        return None
    for named in (context.device.type, context.os.name):
        if type(named) is str:
            family = _FAMILIES.get(named.strip().lower())
            if family is not None:
                return family
    return None


def read_app(event: Event, family: str) -> AppFacts:
    """The app and device of an app event."""
    context = event.context
    app, device, network = context.app, context.device, context.network
    return AppFacts(
        name=text(app.name),
        package=text(app.namespace),
        version=text(app.version),
        brand=text(device.manufacturer),
        model=text(device.model),
        device_type=text(device.type),
        os_name=text(context.os.name),
        os_family=family,
        os_version=text(context.os.version),
        carrier=text(network.carrier),
        network="wifi" if network.wifi is True else None,
        locale=text(context.locale),
        timezone=text(context.timezone),
    )


def language(locale: Any) -> str | None:
    """The ISO 639-1 code of a locale such as ``en-GB`` or ``de_AT``."""
    if type(locale) is not str or len(locale) < 2:
        return None
    code = locale[:2].lower()
    if not (code.isascii() and code.isalpha()) or locale[2:3].isalnum():
        return None
    return code
