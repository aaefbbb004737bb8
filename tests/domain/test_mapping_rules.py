"""Which rule an event fires."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pinyon.domain.event import Event
from pinyon.domain.mapping import MappingRule, Trigger, compile_rules

ORDER = MappingRule(Trigger("track", "Order Completed"), "checkout")
ANY_TRACK = MappingRule(Trigger("track"), "custom")
PAGE = MappingRule(Trigger("page"), "page_visit")
SWITCHED_OFF = MappingRule(Trigger("track", "Order Completed"), "lead", enabled=False)


@pytest.mark.parametrize(
    ("rules", "event", "name"),
    [
        ([ORDER, PAGE], Event(type="track", event="Order Completed"), "checkout"),
        ([ORDER, PAGE], Event(type="track", event="order completed"), None),
        ([ORDER, PAGE], Event(type="page", event="Order Completed"), "page_visit"),
        ([ORDER, PAGE], Event(type="page"), "page_visit"),
        ([ORDER, PAGE], Event(type="track"), None),
        ([ORDER, PAGE], Event(type="screen"), None),
        ([ORDER, PAGE], Event(), None),
        ([ORDER, ANY_TRACK], Event(type="track", event="Order Completed"), "checkout"),
        ([ORDER, ANY_TRACK], Event(type="track", event="Other"), "custom"),
        ([ANY_TRACK, ORDER], Event(type="track", event="Order Completed"), "custom"),
        ([ANY_TRACK], Event(type="track", event=["Order Completed"]), "custom"),
        ([SWITCHED_OFF, ORDER], Event(type="track", event="Order Completed"), "checkout"),
        ([SWITCHED_OFF], Event(type="track", event="Order Completed"), None),
        ([], Event(type="page"), None),
        ([PAGE], Event(type=["page"], event={"a": 1}), None),
    ],
)
def test_the_first_enabled_rule(rules, event, name):
    fired = compile_rules(rules)(event)
    assert (fired.name if fired is not None else None) == name


TRIGGERS = st.builds(Trigger, st.sampled_from(["track", "page"]), st.none() | st.sampled_from(["A", "B", "C"]))
RULES = st.lists(st.tuples(TRIGGERS, st.booleans()), max_size=8)
EVENTS = st.builds(Event, type=st.sampled_from(["track", "page", "screen"]), event=st.none() | st.sampled_from("ABCD"))


@given(RULES, EVENTS)
def test_as_if_the_rules_were_tried_one_after_the_other(written, event):
    rules = [MappingRule(trigger, f"rule_{number}", enabled) for number, (trigger, enabled) in enumerate(written)]
    first = next(
        (
            rule
            for rule in rules
            if rule.enabled and rule.trigger.type == event.type and rule.trigger.event in (None, event.event)
        ),
        None,
    )
    assert compile_rules(rules)(event) == first
