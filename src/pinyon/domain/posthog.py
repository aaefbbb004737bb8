"""PostHog's events, as the Segment spec would say them.

Names of events and properties are those of PyPI posthog 7.91.1 (both wire forms) and of the browser client, read in
PostHog/posthog-js packages/browser at 0a534a9c (utils/event-utils.ts) and 8493d87d (posthog-core.ts). A ``$`` marks
what PostHog gives a meaning to; everything else is the sender's own and is kept as it is.
"""

from __future__ import annotations

from typing import Any, Final

_TYPES: Final = {
    "$pageview": "page",
    "$screen": "screen",
    "$identify": "identify",
    "$set": "identify",
    "$set_once": "identify",
    "$groupidentify": "group",
    "$create_alias": "alias",
}

# Property -> member of the Segment context, for facts about the person's device.
_PLACES: Final = {
    "$ip": ("ip",),
    "$user_agent": ("userAgent",),
    "$raw_user_agent": ("userAgent",),
    "$locale": ("locale",),
    "$browser_language": ("locale",),
    "$timezone": ("timezone",),
    "$current_url": ("page", "url"),
    "$pathname": ("page", "path"),
    "$referrer": ("page", "referrer"),
    "$lib": ("library", "name"),
    "$lib_version": ("library", "version"),
    "$app_name": ("app", "name"),
    "$app_version": ("app", "version"),
    "$app_namespace": ("app", "namespace"),
    "$device_manufacturer": ("device", "manufacturer"),
    "$device_model": ("device", "model"),
    "$device_type": ("device", "type"),
    "$screen_width": ("screen", "width"),
    "$screen_height": ("screen", "height"),
}

# The browser client's word for "no referrer".
_DIRECT: Final = "$direct"

# Only where the event does not come from a server, whose system says nothing of the person's.
_SYSTEM_PLACES: Final = {"$os": ("os", "name"), "$os_name": ("os", "name"), "$os_version": ("os", "version")}

# Plain properties by which the clients repeat the envelope.
_ENVELOPE: Final = frozenset({"distinct_id", "token"})


def event_type(name: str) -> str:
    """The Segment type of the PostHog event with this name."""
    return _TYPES.get(name, "track")


def to_segment(body: dict[str, Any]) -> dict[str, Any]:
    """The event in Segment's form: the same facts under the other names. Total: anything missing is left out.

    A ``distinct_id`` becomes the ``userId`` unless the client says that it is not yet known whose it is; then it is
    the ``anonymousId``. ``$set`` and ``$set_once`` become ``traits`` of identify and ``context.traits`` of all else.
    """
    properties = _object(body.get("properties"))
    name = body.get("event")
    kind = event_type(name) if type(name) is str else "track"
    event: dict[str, Any] = {"type": kind, "messageId": body.get("uuid"), "timestamp": body.get("timestamp")}
    event |= _ids(body, properties, kind)
    context = _context(properties)
    traits = _object(properties.get("$set_once")) | _object(body.get("$set_once"))
    traits |= _object(properties.get("$set")) | _object(body.get("$set"))
    own = {key: value for key, value in properties.items() if not key.startswith("$") and key not in _ENVELOPE}
    match kind:
        case "identify":
            event["traits"] = traits
        case "group":
            event["traits"] = _object(properties.get("$group_set"))
        case "page":
            event["properties"] = own | _page(context)
        case "screen":
            event |= {"name": properties.get("$screen_name"), "properties": own}
        case "track":
            event |= {"event": name, "properties": own}
    if traits and kind != "identify":
        context["traits"] = traits
    if kind == "page" and type(own.get("title")) is str:
        context.setdefault("page", {})["title"] = own["title"]
    event["context"] = context
    return {key: value for key, value in event.items() if value is not None}


def _ids(body: dict[str, Any], properties: dict[str, Any], kind: str) -> dict[str, Any]:
    distinct_id = body.get("distinct_id")
    if distinct_id is None:
        distinct_id = properties.get("distinct_id")
    if kind == "alias":
        return {"previousId": properties.get("distinct_id", distinct_id), "userId": properties.get("alias")}
    ids: dict[str, Any] = {"groupId": properties.get("$group_key")} if kind == "group" else {}
    if _is_cookieless(body, properties):
        return ids
    device_id = properties.get("$anon_distinct_id", properties.get("$device_id"))
    if _is_anonymous(body, properties) or distinct_id == device_id:
        return ids | {"anonymousId": distinct_id}
    return ids | {"userId": distinct_id, "anonymousId": device_id}


def _is_anonymous(body: dict[str, Any], properties: dict[str, Any]) -> bool:
    return (
        properties.get("$is_identified") is False
        or properties.get("$process_person_profile") is False
        or _object(body.get("options")).get("process_person_profile") is False
    )


def _is_cookieless(body: dict[str, Any], properties: dict[str, Any]) -> bool:
    """Whether the id is the same for everybody, to be replaced by PostHog's own server."""
    return properties.get("$cookieless_mode") is True or _object(body.get("options")).get("cookieless_mode") is True


def _context(properties: dict[str, Any]) -> dict[str, Any]:
    places = _PLACES if properties.get("$is_server") is True else _PLACES | _SYSTEM_PLACES
    context: dict[str, Any] = {}
    for key, place in places.items():
        value = properties.get(key)
        if value is None or value == _DIRECT:
            continue
        if len(place) == 1:
            context[place[0]] = value
        else:
            context.setdefault(place[0], {})[place[1]] = value
    return context


def _page(context: dict[str, Any]) -> dict[str, Any]:
    page: dict[str, Any] = context.get("page", {})
    return dict(page)


def _object(value: Any) -> dict[str, Any]:
    return value if type(value) is dict else {}
