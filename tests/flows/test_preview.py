"""What would be sent: the same rules as delivery's, told without a server."""

import json

import pytest
from delivering import KIND, NOW, SHOP
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from pinyon.cli.commands import application
from pinyon.domain.errors import ConfigurationInvalid
from pinyon.flows.preview import preview, router_for
from pinyon.testing.oracle import check_payloads

TYPES = {KIND.name: KIND}
ROUTER = router_for({}, SHOP, TYPES)
EVENT = {
    "type": "track",
    "event": "Order Completed",
    "messageId": "m-1",
    "userId": "u-1",
    "timestamp": "2026-09-21T14:13:10Z",
    "context": {"ip": "203.0.113.9", "userAgent": "Mozilla/5.0"},
    "properties": {"value": 9.99, "currency": "EUR"},
}


def shown(now=NOW, router=ROUTER, **members):
    return preview(router, SHOP, EVENT | members, now)


def test_a_payload_as_it_would_be_sent():
    found = shown()
    assert (found.warnings, found.withheld, found.error) == ([], None, None)
    [payload] = found.payloads
    check_payloads([payload])
    assert payload["custom_data"] == {"value": "9.99", "currency": "EUR"}
    assert payload["user_data"]["client_ip_address"] == "203.0.113.9"


@pytest.mark.parametrize(
    ("members", "cause"),
    [
        ({"event": "Coupon Denied"}, "unmapped"),
        ({"context": {}}, "identity_insufficient"),
        ({"timestamp": "2026-08-21T14:13:20Z", "receivedAt": "2026-09-21T14:13:20Z"}, "too_old"),
    ],
)
def test_what_would_be_withheld(members, cause):
    found = shown(**members)
    assert (found.payloads, found.error) == ([], None)
    assert found.withheld["cause"] == cause
    assert found.withheld["detail"]


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"type": "treck"}, "type_unknown"),
        ({"type": None}, "type_missing"),
        ({"userId": None}, "ids_missing"),
        ({"event": ""}, "event_name_missing"),
        ({"messageId": "x" * 300}, "message_id_invalid"),
        ({"properties": {"x": "x" * (1 << 20)}}, "event_too_large"),
    ],
)
def test_what_collecting_would_refuse_is_refused_in_the_same_words(members, code):
    found = shown(**members)
    assert (found.payloads, found.withheld) == ([], None)
    assert found.error["code"] == code
    assert found.error["advice"]


@pytest.mark.parametrize(
    ("members", "event_time"),
    [
        ({"timestamp": "2020-01-01T00:00:00Z"}, 1_577_836_800),
        ({"timestamp": "2020-01-01T00:00:00Z", "sentAt": "2020-01-01T00:01:00Z"}, 1_577_836_800),
        ({"timestamp": "2020-01-01T00:00:00Z", "receivedAt": "2020-01-02T00:00:00Z"}, 1_577_836_800),
        (
            {
                "timestamp": "2020-01-01T00:00:00Z",
                "sentAt": "2020-01-01T00:01:00Z",
                "receivedAt": "2020-01-01T01:01:00Z",
            },
            1_577_840_400,
        ),
        ({"timestamp": None}, int(NOW)),
        ({"timestamp": "2099-01-01T00:00:00Z"}, int(NOW)),
    ],
)
def test_a_sample_from_last_year_shows_what_it_would_have_led_to_then(members, event_time):
    [payload] = shown(**members).payloads
    assert payload["event_time"] == event_time


WARNINGS = [
    ({"timestamp": None}, "timestamp is missing"),
    ({"timestamp": "yesterday"}, "timestamp is not a time"),
    ({"properties": {"value": "a lot"}}, "properties.value is not an amount"),
    ({"properties": {"value": 1}}, "value has no currency"),
    ({"properties": {"value": 1, "currency": "Taler"}}, "properties.currency is not an ISO 4217 code"),
    ({"properties": {"product_id": "p", "quantity": "few"}}, "properties.quantity is not a whole number"),
    ({"properties": {"products": [{"price": 1}]}}, "properties.products has members without"),
    ({"properties": {"email": "nobody"}}, "properties.email was left out"),
    ({"properties": {"phone": "(555) 010-0100"}}, "properties.phone was left out"),
    ({"context": {**EVENT["context"], "ip": "nowhere", "traits": {"email": "a@b.org"}}}, "context.ip is not an IP"),
    ({"context": {**EVENT["context"], "traits": {"email": 5}}}, "context.traits.email was left out"),
    (
        {"context": {**EVENT["context"], "device": {"advertisingId": "abc"}}},
        "context.device.advertisingId was left out",
    ),
    ({"traits": {"gender": "robot"}}, "traits.gender was left out"),
    ({"traits": {"birthday": "31.05.1990"}}, "traits.birthday was left out"),
    ({"traits": {"address": {"country": "Atlantis"}}}, "traits.address.country was left out"),
]


@pytest.mark.parametrize(("members", "warning"), WARNINGS, ids=[warning for _, warning in WARNINGS])
def test_what_could_not_be_used_is_told_without_its_value(members, warning):
    found = shown(**members)
    assert len(found.payloads) == 1
    assert [sentence for sentence in found.warnings if warning in sentence]
    for value in ("nobody", "010-0100", "nowhere", "Atlantis", "a lot", "31.05"):
        assert value not in " ".join(found.warnings)


@pytest.mark.parametrize(
    "data",
    [
        {"type": "facebook"},
        {"type": ["pinterest_conversions"]},
        {"preset": "pinyo"},
        {"preset": ["pinyon"]},
        {"consent_categories": "advertising"},
        {"consent_categories": [1]},
        {"consent_categories": 5},
    ],
)
def test_a_wrong_destination_is_refused_with_advice(data):
    with pytest.raises(ConfigurationInvalid) as caught:
        router_for(data, SHOP, TYPES)
    assert caught.value.advice


def test_consent_is_checked_as_for_a_real_destination():
    router = router_for({"consent_categories": ["Advertising"]}, SHOP, TYPES)
    refused = EVENT["context"] | {"consent": {"categoryPreferences": {"advertising": False}}}
    assert shown(router=router, context=refused).withheld["cause"] == "consent"
    assert shown(router=router).payloads


# The command.


def run(*lines, options=()):
    """Exit code, and what was printed for each line."""
    text = b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    result = CliRunner().invoke(application, ["preview", *options], input=text, catch_exceptions=False)
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()]


SHAPE = {"name", "payloads", "warnings", "withheld", "error"}


def test_one_line_out_for_each_line_in():
    code, answers = run(EVENT, b"", {"name": "case", "event": EVENT}, b"{", 5, {"event": {"type": "page"}})
    assert code == 0
    assert [set(answer) for answer in answers] == [SHAPE] * 5
    assert [answer["name"] for answer in answers] == [None, "case", None, None, None]
    assert [answer["error"] and answer["error"]["code"] for answer in answers] == [
        None,
        None,
        "malformed_json",
        "not_an_object",
        "ids_missing",
    ]
    check_payloads([payload for answer in answers for payload in answer["payloads"]])


def test_a_line_may_name_its_destination():
    destination = {"consent_categories": ["advertising"]}
    _, [withheld] = run({"event": EVENT, "destination": destination})
    assert withheld["withheld"]["cause"] == "consent"
    _, [granted] = run({"event": EVENT, "destination": destination}, options=["--consent-default", "granted"])
    assert granted["payloads"]


def test_a_line_with_a_wrong_destination_has_an_error_and_its_name():
    _, answers = run(
        *(
            {"name": "x", "event": EVENT, "destination": wrong}
            for wrong in ({"preset": "no"}, [], "x", {"type": {}, "preset": {"a": 1}})
        )
    )
    assert [(answer["name"], answer["error"]["code"]) for answer in answers] == [("x", "configuration_invalid")] * 4


def test_options_of_the_source(tmp_path):
    euros = {**EVENT, "properties": {"value": 1}}
    _, [answer] = run(euros, options=["--currency", "eur"])
    assert answer["payloads"][0]["custom_data"]["currency"] == "EUR"
    path = tmp_path / "destination.yaml"
    path.write_text("consent_categories: [advertising]\n")
    _, [answer] = run(EVENT, options=["--destination", str(path)])
    assert answer["withheld"]["cause"] == "consent"


@pytest.mark.parametrize(
    "options", [["--currency", "Taler"], ["--preset", "pinyo"], ["--destination", "/nowhere.yaml"]]
)
def test_wrong_options_are_told_before_anything_is_read(options):
    result = CliRunner().invoke(application, ["preview", *options], input=json.dumps(EVENT))
    assert result.exit_code != 0
    assert isinstance(result.exception, ConfigurationInvalid | SystemExit)
    assert result.stdout == ""


def test_what_python_and_javascript_write_is_read_as_the_server_reads_it():
    line = json.dumps(EVENT).replace("9.99", "NaN").encode()
    _, [answer] = run(line)
    assert answer["payloads"]
    assert "custom_data" not in answer["payloads"][0]


@given(st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\n", b" ").replace(b"\r", b" ")), max_size=3))
def test_any_line_has_its_answer(lines):
    code, answers = run(*lines)
    assert code == 0
    assert len(answers) == len([line for line in lines if line.strip()])
