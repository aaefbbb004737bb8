"""Where an event happened: web, app or offline, and on which device."""

from __future__ import annotations

from typing import Any, Final

from pinyon.domain.conversion import AppFacts, DeviceFacts
from pinyon.domain.event import NO_APP, NO_DEVICE, NO_PAGE, NO_SYSTEM, Event
from pinyon.domain.mapping.values import text

_FAMILIES: Final = {
    "ios": "ios",
    "iphone os": "ios",
    "ipados": "ios",
    "android": "android",
}

_SEPARATORS: Final = frozenset({"", "-", "_"})


def os_family(event: Event) -> str | None:
    """ "ios" or "android" for an event of a mobile app; None for all else.

    A page in the context or the channel "web" tells a browser on a phone from an app.
    """
    context = event.context
    if context.device is NO_DEVICE and context.os is NO_SYSTEM:
        return None
    if context.page is not NO_PAGE or event.channel == "web":
        return None
    for named in (context.device.type, context.os.name):
        if type(named) is str:
            family = _FAMILIES.get(named.strip().lower())
            if family is not None:
                return family
    return None


def read_app(event: Event, form: type[AppFacts]) -> AppFacts | None:
    """The app of an app event; None when nothing is known of it."""
    app = event.context.app
    if app is NO_APP:
        return None
    return form(text(app.name), text(app.namespace), text(app.version))


def read_device(event: Event, family: str, form: type[DeviceFacts]) -> DeviceFacts:
    """The device of an app event."""
    context = event.context
    device, network = context.device, context.network
    return form(
        brand=text(device.manufacturer),
        model=text(device.model),
        type=text(device.type),
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
    if type(locale) is not str or locale[2:3] not in _SEPARATORS:
        return None
    code = locale[:2].lower()
    return code if len(code) == 2 and code.isascii() and code.isalpha() else None
