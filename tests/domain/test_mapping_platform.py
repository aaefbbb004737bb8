"""Where and when an event happened: web or app, on which page, in which language, at what time."""

import pytest
from cleared import NOW, cleared

PAGE = {"url": "https://shop.example/", "path": "/", "search": "", "title": "Shop", "referrer": ""}

# Contexts as the clients send them: analytics.js and analytics-kotlin by the Segment spec's common fields, the
# RudderStack ones by the wire of RudderLabs JavaScript SDK 3.34.1 and the examples of its mobile SDKs' documentation.
PLATFORMS = {
    "Segment's browser client": ("web", {"context": {"page": PAGE, "userAgent": "Mozilla/5.0", "locale": "en-GB"}}),
    "RudderStack's browser client, with an app and an empty system": (
        "web",
        {
            "channel": "web",
            "context": {
                "app": {
                    "name": "RudderLabs JavaScript SDK",
                    "namespace": "com.rudderlabs.javascript",
                    "version": "3.34.1",
                },
                "os": {"name": "", "version": ""},
                "screen": {"width": 1280, "height": 720, "density": 1},
                "page": PAGE,
            },
        },
    ),
    "a browser on a phone, its system parsed from the user agent": (
        "web",
        {"context": {"page": PAGE, "os": {"name": "iOS", "version": "17.4"}, "device": {"type": "mobile"}}},
    ),
    "a browser on a phone, told by its channel alone": (
        "web",
        {"channel": "web", "context": {"os": {"name": "Android"}}},
    ),
    "Segment's Android client": (
        "app_android",
        {
            "context": {
                "device": {"type": "android", "manufacturer": "Google"},
                "os": {"name": "Android", "version": "14"},
            }
        },
    ),
    "Segment's iOS client": (
        "app_ios",
        {"context": {"device": {"type": "ios", "manufacturer": "Apple"}, "os": {"name": "iOS", "version": "17.4"}}},
    ),
    "an older iOS client": ("app_ios", {"context": {"device": {}, "os": {"name": "iPhone OS", "version": "9.1"}}}),
    "an iPad": ("app_ios", {"context": {"os": {"name": "iPadOS"}}}),
    "RudderStack's Android client": (
        "app_android",
        {
            "channel": "mobile",
            "context": {"device": {"type": "Android"}, "os": {"name": "Android"}, "app": {"name": "Shop"}},
        },
    ),
    "a back end": ("web", {"channel": "server", "context": {"library": {"name": "analytics-python"}}}),
    "a back end with a system of its own": ("web", {"context": {"os": {"name": "Linux"}}}),
    "nothing": ("web", {}),
    "nonsense": ("web", {"channel": 5, "context": {"device": {"type": ["ios"]}, "os": {"name": 7}}}),
}


@pytest.mark.parametrize(("action_source", "event"), PLATFORMS.values(), ids=PLATFORMS)
def test_action_source(action_source, event):
    assert cleared(event).action_source == action_source


def app(**device):
    return {"context": {"device": {"type": "ios", **device}, "locale": "en-GB"}}


@pytest.mark.parametrize(
    ("enabled", "opt_out"), [(False, True), (True, False), (None, False), ("false", False), (0, False)]
)
def test_an_app_on_a_device_that_limits_ad_tracking_has_opted_out(enabled, opt_out):
    assert cleared(app(adTrackingEnabled=enabled)).opt_out is opt_out


def test_opt_out_is_never_the_default():
    """Segment's preset sends true unless told otherwise; then Pinterest uses none of its conversions."""
    for _, event in PLATFORMS.values():
        assert cleared(event).opt_out is False


def test_the_page_of_a_web_event():
    assert cleared({"context": {"page": PAGE}, "properties": {"url": "https://x.example"}}).source_url == PAGE["url"]
    assert cleared({"properties": {"url": "https://x.example"}}).source_url == "https://x.example"
    assert cleared({"context": {"page": {"url": "  "}}}).source_url is None
    assert cleared({}).source_url is None


def test_an_app_event_has_no_page():
    assert cleared({**app(), "properties": {"url": "https://x.example"}}).source_url is None


LANGUAGES = {"en-GB": "en", "de_AT": "de", "EN": "en", "pt-br": "pt"}
NO_LANGUAGES = ["fil-PH", "e", "", "12", "日本", 5, None, ["en"]]


@pytest.mark.parametrize(("locale", "language"), [*LANGUAGES.items(), *((odd, None) for odd in NO_LANGUAGES)])
def test_language_is_two_letters_or_none(locale, language):
    assert cleared({"context": {"locale": locale}}).language == language


# Corrected time. Source: Segment's common fields: timestamp - sentAt + receivedAt.
HOUR = 3_600.0
TIMES = [
    ("as it stands", {"timestamp": "2026-09-21T13:13:20Z"}, None, NOW - HOUR),
    ("fractions are cut", {"timestamp": "2026-09-21T13:13:20.999Z"}, None, NOW - HOUR),
    ("another zone", {"timestamp": "2026-09-21T15:13:20+02:00"}, None, NOW - HOUR),
    ("no time at all", {}, None, NOW),
    ("not a time", {"timestamp": "yesterday"}, None, NOW),
    ("the original where there is no other", {"originalTimestamp": "2026-09-21T13:13:20Z"}, None, NOW - HOUR),
    ("the client's clock is two hours slow", {"timestamp": "2026-09-21T12:12:20Z"}, NOW - 2 * HOUR, NOW - 60),
    ("the client's clock is a day fast", {"timestamp": "2026-09-22T14:12:20Z"}, NOW + 24 * HOUR, NOW - 60),
    ("sent at once", {"timestamp": "2026-09-21T14:12:20Z"}, NOW, NOW - 60),
    ("in the future, and nothing to compare", {"timestamp": "2026-09-22T14:13:20Z"}, None, NOW),
    (
        "the event's own time of sending, where the envelope has none",
        {"timestamp": "2026-09-21T12:12:20Z", "sentAt": "2026-09-21T12:13:20Z"},
        None,
        NOW - 60,
    ),
    (
        "the envelope's time of sending counts for more",
        {"timestamp": "2026-09-21T14:12:20Z", "sentAt": "2026-09-01T00:00:00Z"},
        NOW,
        NOW - 60,
    ),
]


@pytest.mark.parametrize(
    ("event", "sent_at", "expected"), [case[1:] for case in TIMES], ids=[case[0] for case in TIMES]
)
def test_when_it_happened(event, sent_at, expected):
    assert cleared(event, sent_at=sent_at).occurred_at == int(expected)


def test_a_retry_does_not_move_the_event():
    """The same event, sent again later by a client whose clock is right, happened when it happened."""
    event = {"timestamp": "2026-09-21T13:13:20Z"}
    first = cleared(event, received_at=NOW, sent_at=NOW - 1)
    again = cleared(event, received_at=NOW + 30, sent_at=NOW + 29)
    assert first.occurred_at == again.occurred_at
