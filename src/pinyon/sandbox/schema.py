"""The body of Pinterest's ``events/create``, as strict as its published schema.

Source: Pinterest API description 5.23.0, schemas ConversionEvents, ConversionEventsUserDataProperties,
ConversionEventAppInfo and ConversionEventDeviceInfo. A member that may be null there is ``| None`` here, no other.
The types only check: members that are absent get an empty default, nothing is ever written from them.
"""

import re
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

NO_IDENTITY = "user_data needs em, or hashed_maids, or client_ip_address with client_user_agent"
MAX_EVENTS = 1000

Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Text5 = Annotated[str, Meta(max_length=5)]
Text35 = Annotated[str, Meta(max_length=35)]
Text40 = Annotated[str, Meta(max_length=40)]
Text100 = Annotated[str, Meta(max_length=100)]
Text200 = Annotated[str, Meta(max_length=200)]
Pixels = Annotated[int, Meta(ge=0, le=30_720)]
Gigabytes = Annotated[int, Meta(ge=0, le=1_048_576)]


class Closed(msgspec.Struct, forbid_unknown_fields=True, frozen=True, gc=False):
    """An object of the schema with ``additionalProperties: false``."""


class Content(Closed, frozen=True, gc=False):
    id: str = ""
    item_name: str = ""
    item_category: str = ""
    item_brand: str = ""
    item_price: str = ""
    quantity: Int64 = 0


class CustomData(Closed, frozen=True, gc=False):
    currency: str | None = None
    value: str | None = None
    content_ids: tuple[str, ...] = ()
    contents: tuple[Content, ...] = ()
    num_items: Int64 = 0
    order_id: str | None = None
    content_name: str | None = None
    content_category: str | None = None
    content_brand: str | None = None
    search_string: str | None = None
    opt_out_type: str | None = None
    predicted_ltv: str | None = None
    np: str | None = None
    external_measurement_id: str | None = None
    external_measurement_vendor_id: int | None = None


class AppInfo(Closed, frozen=True, gc=False):
    app_id: Text200 = ""
    app_name: Text200 = ""
    app_package_name: Text200 = ""
    app_store: Text100 = ""
    app_version: Text100 = ""
    install_time: Annotated[int, Meta(ge=0)] = 0
    user_agent: Annotated[str, Meta(max_length=16_384)] = ""
    window_height: Pixels = 0
    window_width: Pixels = 0


FormFactor = Literal["desktop", "laptop", "cellphone", "tablet", "smartwatch", "tv", "vr", "console", "other"]
OsFamily = Literal["ios", "android", "macos", "windows", "linux", "bsd", "other"]
NetworkType = Literal[
    "wifi", "cellular_2g", "cellular_3g", "cellular_4g", "cellular_5g", "cellular_6g", "ethernet", "unknown"
]


class DeviceInfo(Closed, frozen=True, gc=False):
    battery_level: Annotated[int, Meta(ge=0, le=100)] = 0
    brand: Text100 = ""
    carrier: Text100 = ""
    cpu_cores: Annotated[int, Meta(ge=0, le=1152)] = 0
    external_storage_free_space: Gigabytes = 0
    external_storage_size: Gigabytes = 0
    form_factor: FormFactor = "other"
    kernel_version: Text100 = ""
    languages: Annotated[tuple[str, ...], Meta(max_length=100)] = ()
    locale: Text35 = ""
    model: Text100 = ""
    network_type: NetworkType = "unknown"
    os_family: OsFamily = "other"
    os_name: Text100 = ""
    os_release_name: Text100 = ""
    os_version: Text100 = ""
    screen_density: Annotated[int, Meta(ge=0, le=100_000)] = 0
    screen_height: Pixels = 0
    screen_width: Pixels = 0
    storage_free_space: Gigabytes = 0
    storage_size: Gigabytes = 0
    timezone: Text40 = ""
    timezone_abbr: Text5 = ""
    type: Text100 = ""


class UserData(msgspec.Struct, frozen=True, gc=False):
    """Open in the published schema: members it does not name are let through unread."""

    em: tuple[str, ...] = ()
    hashed_maids: tuple[str, ...] = ()
    client_ip_address: str = ""
    client_user_agent: str = ""
    ph: tuple[str, ...] = ()
    ge: tuple[str, ...] = ()
    db: tuple[str, ...] = ()
    fn: tuple[str, ...] = ()
    ln: tuple[str, ...] = ()
    ct: tuple[str, ...] = ()
    st: tuple[str, ...] = ()
    zp: tuple[str, ...] = ()
    country: tuple[str, ...] = ()
    external_id: tuple[str, ...] = ()
    click_id: str | None = None
    partner_id: str | None = None

    def __post_init__(self) -> None:
        # The published anyOf asks only that the member is there. An empty one identifies nobody, so it does not
        # count here: the sandbox is stricter than the schema in this one place.
        if not (self.em or self.hashed_maids or (self.client_ip_address and self.client_user_agent)):
            raise ValueError(NO_IDENTITY)


class Event(Closed, frozen=True, gc=False, kw_only=True):
    event_name: str
    action_source: str
    event_time: Int64
    event_id: str
    user_data: UserData
    event_source_url: str | None = None
    opt_out: bool = False
    partner_name: str | None = None
    custom_data: CustomData = CustomData()
    app_id: str | None = None
    app_name: str | None = None
    app_version: str | None = None
    device_brand: str | None = None
    device_carrier: str | None = None
    device_model: str | None = None
    device_type: str | None = None
    os_version: str | None = None
    wifi: bool = False
    language: str | None = None
    app_info: AppInfo = AppInfo()
    device_info: DeviceInfo = DeviceInfo()


class EventWithTracking(Event, frozen=True, gc=False, kw_only=True):
    """With the member that only the request example of 5.28 shows, not its schema."""

    advertiser_tracking_enabled: bool = False


class Batch(Closed, frozen=True, gc=False):
    data: Annotated[list[Event], Meta(min_length=1, max_length=MAX_EVENTS)]


class BatchWithTracking(Closed, frozen=True, gc=False):
    data: Annotated[list[EventWithTracking], Meta(min_length=1, max_length=MAX_EVENTS)]


class RawBatch(msgspec.Struct, gc=False):
    data: list[msgspec.Raw]


class SchemaError(ValueError):
    """The body breaks the schema. The text names members and places, never a value."""


_batch = msgspec.json.Decoder(Batch)
_batch_with_tracking = msgspec.json.Decoder(BatchWithTracking)
_raw_batch = msgspec.json.Decoder(RawBatch)


def read_events(body: bytes, *, accept_advertiser_tracking: bool) -> Sequence[Event]:
    """The events of a request body, 1 to 1000.

    Raises ``SchemaError``.
    """
    decoder = _batch_with_tracking if accept_advertiser_tracking else _batch
    try:
        # The decoder reads over members it does not know, and over broken UTF-8 in them.
        if not body.isascii():
            body.decode()
        return decoder.decode(body).data
    except msgspec.ValidationError as error:
        raise SchemaError(f"Invalid request: {_explain(str(error))}") from error
    # RecursionError: thousands of nested brackets in an open object.
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SchemaError("Invalid request: the body is not valid JSON") from error


def split_events(body: bytes) -> list[msgspec.Raw]:
    """The bytes of each event in a body that ``read_events`` took, same order and length."""
    return _raw_batch.decode(body).data


_FIELD = re.compile(r"Object (?P<rule>contains unknown|missing required) field `(?P<name>.*)`", re.DOTALL)
_TYPE = re.compile(r"Expected `(?P<wanted>[a-z |]+)`, got `(?P<got>[a-z]+)`")
_BOUND = re.compile(r"Expected `[a-z |]+` (?:of length )?[<>]= -?\d+")
# A member's name is written by the caller too: only what looks like a field name is repeated.
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_JSON_TYPE = re.compile("str|int|float|bool")
_JSON_TYPES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}


def _explain(text: str) -> str:
    # The last one: a member's name may hold the same words.
    end = text.rfind(" - at `$")
    if end < 0:
        return _reason(text)
    place = text[end:].removeprefix(" - at `$").strip(".`")
    return f"{_reason(text[:end])} at {place}"


def _reason(what: str) -> str:
    if field := _FIELD.fullmatch(what):
        name = field["name"]
        if field["rule"] == "missing required":
            return f"'{name}' is a required property"
        shown = f"'{name}' was" if _PLAIN_NAME.fullmatch(name) else "a member was"
        return f"Additional properties are not allowed ({shown} unexpected)"
    if kind := _TYPE.fullmatch(what):
        wanted = " or ".join(_JSON_TYPES.get(part, part) for part in kind["wanted"].split(" | "))
        return f"expected {wanted}, got {_JSON_TYPES.get(kind['got'], kind['got'])}"
    if _BOUND.fullmatch(what):
        return _JSON_TYPE.sub(lambda name: _JSON_TYPES[name[0]], what).replace("`", "").replace("Expected", "expected")
    if what.startswith("Invalid enum value"):
        return "the value is not one of those allowed"
    return what if what == NO_IDENTITY else "a value is not as the schema asks"
