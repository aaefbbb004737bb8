"""Consent: all the categories a destination needs, from the event or else from the source's default."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinyon.domain.consent import ConsentPolicy, decide
from pinyon.domain.event import read_event

ADS = ("advertising",)
BOTH = ("advertising", "analytics")


@pytest.mark.parametrize("default", ["granted", "denied"])
@pytest.mark.parametrize("preferences", [None, {}, {"advertising": False}, "x"])
def test_no_category_needs_no_consent(preferences, default):
    receipt = decide(preferences, ConsentPolicy((), default))
    assert receipt.granted
    assert receipt.signal == "none needed"


# The form is that of Segment's consent documentation: context.consent.categoryPreferences, category -> boolean.
STATED = [
    ({"Advertising": True, "Analytics": True, "DataSharing": False}, BOTH, True, ""),
    ({"Advertising": True, "Analytics": False}, BOTH, False, "analytics"),
    ({"Advertising": False, "Analytics": True}, BOTH, False, "advertising"),
    ({"advertising": True}, ADS, True, ""),
    ({"ADVERTISING": False}, ADS, False, "advertising"),
    ({"advertising": False, "Advertising": True}, ADS, False, "advertising"),
]


@pytest.mark.parametrize("default", ["granted", "denied"])
@pytest.mark.parametrize(("preferences", "categories", "granted", "category"), STATED)
def test_what_the_event_states_counts_whatever_the_default(preferences, categories, granted, category, default):
    receipt = decide(preferences, ConsentPolicy(categories, default))
    assert (receipt.granted, receipt.signal, receipt.category) == (granted, "categoryPreferences", category)


NOTHING_STATED = [None, {}, [], "granted", True, 1, {"Analytics": True}, {"advertising": "true"}, {"advertising": 1}]


@pytest.mark.parametrize("preferences", NOTHING_STATED)
def test_the_default_holds_where_the_event_says_nothing(preferences):
    granted = decide(preferences, ConsentPolicy(ADS, "granted"))
    assert (granted.granted, granted.signal) == (True, "source default")
    denied = decide(preferences, ConsentPolicy(ADS, "denied"))
    assert (denied.granted, denied.signal, denied.category) == (False, "source default", "advertising")


def test_a_category_left_out_falls_to_the_default_beside_a_stated_one():
    stated = {"Advertising": True}
    assert decide(stated, ConsentPolicy(BOTH, "granted")).granted
    assert not decide(stated, ConsentPolicy(BOTH, "denied")).granted
    assert not decide({"Analytics": False}, ConsentPolicy(BOTH, "granted")).granted


def test_a_category_stated_twice_in_different_case_must_be_allowed_both_times():
    for preferences in (
        {"Advertising": True, "advertising": False},
        {"Advertising": True, "ADVERTISING": False},
        {"advertising": "unknown", "Advertising": False},
    ):
        assert not decide(preferences, ConsentPolicy(ADS, "granted")).granted


def test_the_sentence_names_category_and_signal():
    refused = decide({"Advertising": False}, ConsentPolicy(ADS, "granted"))
    assert "advertising" in refused.sentence
    assert "categoryPreferences" in refused.sentence
    assert "allowed" in decide({"advertising": True}, ConsentPolicy(ADS, "denied")).sentence


ANSWERS = st.none() | st.booleans() | st.integers() | st.text(max_size=3)
PREFERENCES = ANSWERS | st.lists(ANSWERS) | st.dictionaries(st.sampled_from(["Advertising", "analytics", "x"]), ANSWERS)


@given(PREFERENCES, st.sampled_from([(), ADS, BOTH]), st.sampled_from(["granted", "denied"]))
def test_total_and_never_more_lenient_than_what_was_stated(preferences, categories, default):
    body = json.dumps({"context": {"consent": {"categoryPreferences": preferences}}}).encode()
    receipt = decide(read_event(body).context.consent.category_preferences, ConsentPolicy(categories, default))
    stated = {name.lower(): value for name, value in preferences.items()} if isinstance(preferences, dict) else {}
    allowed = {name for name in categories if stated.get(name) is True}
    refused = {name for name in categories if stated.get(name) is False}
    assert receipt.granted == (not refused and (default == "granted" or allowed == set(categories)))
