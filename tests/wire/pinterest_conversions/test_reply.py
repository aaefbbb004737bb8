"""What Pinterest's answers mean.

Source of statuses, codes and shapes: Pinterest API description 5.23.0, events/create (with 404 from the change log to
5.28.0); the body of the 422 is one that was seen in public: segmentio/action-destinations, pull request 2465.
"""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from judging import KIND, SECRETS, SETTINGS

from pinyon.domain.delivery import Accepted, Answered, Deferred, Forbidden, Refused, Rejected, Unreachable
from pinyon.ports.destination import Reply
from pinyon.testing.sender import failure, reply, verdicts

CONNECTION = KIND.connect(SETTINGS, SECRETS, "https://pinterest.invalid/v5")
OK = {"status": "processed", "error_message": "", "warning_message": ""}
WORDS = "Invalid event_timestamp parameter. Given timestamp is in the past"
BAD = {"status": "failed", "error_message": WORDS, "warning_message": None}
ALL_ACCEPTED = Answered([Accepted(), Accepted()])
UNKNOWN = Answered([Deferred("answer_unreadable")] * 2)


def read(answer, events=2):
    return CONNECTION.read(CONNECTION.prepare([b"{}"] * events), answer)


def response(*events):
    processed = sum(event == OK for event in events)
    return {"num_events_received": len(events), "num_events_processed": processed, "events": list(events)}


def error(code, message="Said."):
    return {"code": code, "message": message}


ANSWERS = {
    "all processed": (reply(200, response(OK, OK)), ALL_ACCEPTED),
    "any 2xx": (reply(201, response(OK, OK)), ALL_ACCEPTED),
    "a failed one inside a 200": (
        reply(200, response(OK, BAD)),
        Answered([Accepted(), Rejected("refused_by_pinterest", WORDS)]),
    ),
    "a warning does not stop processing": (
        reply(200, response(OK, {**OK, "warning_message": "No click_id."})),
        Answered([Accepted(), Accepted("No click_id.")]),
    ),
    "a failure without words": (
        reply(200, response({"status": "failed"}, OK)),
        Answered([Rejected("refused_by_pinterest", ""), Accepted()]),
    ),
    "a 200 that judges too few": (reply(200, response(OK)), UNKNOWN),
    "a 200 that judges too many": (reply(200, response(OK, OK, OK)), UNKNOWN),
    "a 200 that judges none": (reply(200, {"num_events_received": 2}), UNKNOWN),
    "a 200 that is not JSON": (Reply(200, {}, b"<html>"), UNKNOWN),
    "a 200 without a body": (Reply(200, {}, b""), UNKNOWN),
    "an event without a known status": (
        reply(200, response(OK, {"status": "pending"})),
        Answered([Accepted(), Deferred("answer_unreadable")]),
    ),
    "an event that is not an object": (
        reply(200, response(OK, None)),
        Answered([Accepted(), Deferred("answer_unreadable")]),
    ),
    "422, mixed": (
        reply(422, {"code": 953, "message": "Not all", "details": response(BAD, OK)}),
        Answered([Rejected("refused_by_pinterest", WORDS), Accepted()]),
    ),
    "422, all failed": (
        reply(422, {"code": 953, "message": "Not all", "details": response(BAD, BAD)}),
        Answered([Rejected("refused_by_pinterest", WORDS)] * 2),
    ),
    "422 without details": (reply(422, error(953)), Refused("unprocessable", "Said. (code 953)")),
    "422 with other details": (
        reply(422, {**error(953), "details": {"events": [OK]}}),
        Refused("unprocessable", "Said. (code 953)"),
    ),
    "422 with no object": (reply(422, ["x"]), Refused("unprocessable", "")),
    "400, the request as a whole": (
        reply(
            400, error(4196, "Invalid request: Additional properties are not allowed ('category_name' was unexpected)")
        ),
        Refused(
            "invalid",
            "Invalid request: Additional properties are not allowed ('category_name' was unexpected) (code 4196)",
        ),
    ),
    "413": (reply(413), Refused("too_large", "")),
    "429": (reply(429, error(8)), Unreachable("rate_limited", "Said. (code 8)")),
    "429 that names a time": (
        reply(429, error(8), retry_after="7"),
        Unreachable("rate_limited", "Said. (code 8)", 7.0),
    ),
    "503, ramped down": (reply(503, error(4197)), Unreachable("http_503", "Said. (code 4197)")),
    "500": (Reply(500, {}, b"oops"), Unreachable("http_500", "")),
    "502 of a proxy": (Reply(502, {}, b"<html>Bad gateway</html>"), Unreachable("http_502", "")),
    "501": (reply(501), Unreachable("http_501", "")),
    "408": (reply(408), Unreachable("http_408", "")),
    "409": (reply(409), Unreachable("http_409", "")),
    "425": (reply(425), Unreachable("http_425", "")),
    "a redirect says nothing of the events": (reply(302), Unreachable("http_302", "")),
    "no answer in time": (failure("timeout"), Unreachable("timeout", "")),
    "no connection": (failure("connection_failed"), Unreachable("connection_failed", "")),
    "nothing": (Reply(0, {}, b""), Unreachable("no_answer", "")),
}


@pytest.mark.parametrize(("answer", "verdict"), ANSWERS.values(), ids=ANSWERS)
def test_what_an_answer_means(answer, verdict):
    assert read(answer) == verdict


@pytest.mark.parametrize(
    ("answer", "reason", "hint"),
    [
        (reply(401, error(2)), "token_refused", "conversion token"),
        (reply(401, error(3)), "token_refused", "conversion token"),
        (reply(401), "token_refused", "conversion token"),
        (reply(403, error(29)), "account_refused", "ad account ID"),
        (reply(404, error(50)), "account_unknown", "ad account ID"),
        (reply(405), "http_405", "PINYON_PINTEREST_BASE_URL"),
        (reply(410), "http_410", "PINYON_PINTEREST_BASE_URL"),
    ],
)
def test_what_a_person_must_mend(answer, reason, hint):
    verdict = read(answer)
    assert isinstance(verdict, Forbidden)
    assert verdict.reason == reason
    assert hint in verdict.advice


DATE = "Wed, 21 Oct 2015 07:28:00 GMT"  # the example of RFC 9110, Retry-After
WAITS = [
    ({"retry_after": "120"}, 120.0),
    ({"retry_after": " 0 "}, 0.0),
    ({"retry_after": DATE, "date": "Wed, 21 Oct 2015 07:27:30 GMT"}, 30.0),
    ({"retry_after": DATE, "date": "Wed, 21 Oct 2015 08:00:00 GMT"}, 0.0),
    ({"retry_after": DATE}, None),
    ({"retry_after": "soon"}, None),
    ({"retry_after": "-5"}, None),
    ({"retry_after": "1.5"}, None),
    ({"retry_after": "٣"}, None),
    ({"retry_after": "9" * 400}, 86_400.0),
    ({"retry_after": "Wed, 21 Oct 2035 07:28:00 GMT", "date": DATE}, 86_400.0),
    ({"retry_after": "Wed, 21 Oct 99999 07:28:00 GMT", "date": DATE}, None),
    ({}, None),
]


@pytest.mark.parametrize(("headers", "seconds"), WAITS)
def test_how_long_to_wait(headers, seconds):
    """Never longer than a day: one mistaken header must not stop a lane for a year."""
    assert read(reply(503, error(4197), **headers)).retry_after == seconds


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["events", "details", "status", "code", "message", "x"]), inner, max_size=3)
    ),
)
BODIES = st.binary() | ANY_JSON.map(lambda data: json.dumps(data).encode())
HEADERS = st.dictionaries(st.sampled_from(["retry-after", "date", "x-pinterest-rid"]), st.text(max_size=30))
STATUSES = st.sampled_from([0, 100, 200, 201, 204, 301, 400, 401, 403, 404, 409, 413, 422, 429, 500, 503, 600])


@settings(max_examples=300, deadline=None)
@given(STATUSES, HEADERS, BODIES, st.integers(1, 3))
@example(200, {}, b"[" * 100_000, 1)
@example(400, {}, b'{"code":4196,"message":"Stra\xdfe"}', 1)
@example(422, {}, b'{"details":' * 5_000, 1)
@example(503, {"retry-after": "1 Jan 0 0:0:0 GMT", "date": "1 Jan 0 0:0:0 GMT"}, b"", 1)
@example(400, {}, b'{"code":"\\ud800","message":"\\ud800"}', 1)
def test_any_answer_has_a_meaning(status, headers, body, events):
    answer = Reply(status, headers, body)
    verdict = read(answer, events)
    if isinstance(verdict, Answered):
        assert len(verdict.outcomes) == events
    else:
        assert verdict.reason
        assert len(verdict.words) <= 300
        verdict.words.encode()
    assert len(CONNECTION.reference(answer)) <= 64


OUTCOMES = {"processed": Accepted(), "failed": Rejected("refused_by_pinterest", "Event refused.")}


@given(st.lists(st.sampled_from(["processed", "failed"]), min_size=1, max_size=50), st.sampled_from([200, 422]))
def test_one_outcome_for_each_event_in_the_order_of_the_request(words, status):
    assert read(verdicts(words, status), len(words)) == Answered([OUTCOMES[word] for word in words])


def test_the_words_of_pinterest_are_cut():
    verdict = read(reply(200, response({"status": "failed", "error_message": "x" * 5_000}, OK)))
    assert len(verdict.outcomes[0].words) == 300


def test_the_reference_is_pinterests_request_id():
    assert CONNECTION.reference(reply(200, None, x_pinterest_rid="123")) == "123"
    assert CONNECTION.reference(reply(200)) == ""
