"""The configuration file: every finding says where, what and what to do; applying it keeps what is known."""

import itertools

import msgspec
import pytest
from delivering import KIND
from hypothesis import given, settings
from hypothesis import strategies as st

from pinyon.domain.errors import ConfigurationInvalid
from pinyon.domain.registry import Registry
from pinyon.flows import configure

TYPES = {KIND.name: KIND}
SECRETS = {"env:KEY": "wk_0123456789", "env:TOKEN": "pina_secret", "env:ACCOUNT": "549755885175"}
GOOD = """\
workspaces:
  - name: acme
    sources:
      - name: shop
        write_key: env:KEY
        currency: EUR
    destinations:
      - name: pinterest
        type: pinterest_conversions
        sources: [shop]
        ad_account_id: "549755885175"
        conversion_token: env:TOKEN
        consent_categories: [advertising]
"""


def resolve(reference):
    if reference not in SECRETS:
        raise LookupError(f"refers to {reference}, which is not set")
    return SECRETS[reference]


def parse(text):
    return configure.parse(text, "pinyon.yaml", TYPES, resolve)


def findings(text):
    with pytest.raises(ConfigurationInvalid) as caught:
        parse(text)
    assert all(finding.startswith("pinyon.yaml:") for finding in caught.value.findings)
    for finding in caught.value.findings:
        assert str(caught.value).count(finding) >= 1
        assert not any(secret in finding for secret in SECRETS.values() if secret != "549755885175")
    return caught.value.findings


def told_of(text):
    """The findings; None when the file can be used."""
    try:
        parse(text)
    except ConfigurationInvalid as error:
        return error.findings
    return None


def changed(old, new):
    assert GOOD.count(old) == 1
    return GOOD.replace(old, new)


def ids():
    numbers = itertools.count(1)
    return lambda prefix: f"{prefix}_{next(numbers)}"


def apply(text, registry=None, new_id=None):
    return configure.apply(parse(text), registry or Registry(0), TYPES, new_id or ids())


# One change of the good file, where the finding is (line and path), and what it says.
FAULTS = [
    ("        currency: EUR", "        currncy: EUR", 6, "sources[0].currncy is not known", '"currency"'),
    ("        currency: EUR", "        stream: x", 6, "sources[0].stream is not known", "Known: name, kind"),
    ("        currency: EUR", "        currency: EURO", 6, "sources[0].currency is not", "EUR"),
    ("        currency: EUR", "        kind: webb", 6, "sources[0].kind is wrong", "'web'"),
    ("        currency: EUR", "        enabled: 'yes'", 6, "sources[0].enabled is wrong", "boolean"),
    ("write_key: env:KEY", "write_key: 12345678", 5, "sources[0].write_key is wrong", "list"),
    ("write_key: env:KEY", "write_key: [env:KEY, 7]", 5, "sources[0].write_key[1] is wrong", "string"),
    ("write_key: env:KEY", "write_key: []", 5, "sources[0].write_key is empty", "at least one"),
    ("write_key: env:KEY", "write_key: short", 5, "sources[0].write_key is shorter than 8", "longer"),
    ("write_key: env:KEY", "write_key: env:NONE", 5, "sources[0].write_key refers to env:NONE", "not set"),
    ("name: shop", "name: sh/op", 4, "sources[0].name is not a name", "letters"),
    ("  - name: acme", "  - nam: acme", 2, "workspaces[0].name is missing", ""),
    ("  - name: acme", "  - nam: acme", 2, "workspaces[0].nam is not known", '"name"'),
    ("workspaces:", "workspace:", 1, "workspace is not known", '"workspaces"'),
    ("type: pinterest_conversions", "type: pinterest", 9, 'type "pinterest" is not known', '"pinterest_conversions"'),
    ("sources: [shop]", "sources: [shopp]", 10, 'sources[0] no source is named "shopp"', '"shop"'),
    ("sources: [shop]", "sources: []", 10, "destinations[0].sources is empty", "at least one"),
    ("sources: [shop]", "sources: shop", 10, "destinations[0].sources is wrong", "list"),
    ("ad_account_id: ", "ad_acount_id: ", 11, "ad_acount_id is not known", '"ad_account_id"'),
    ("ad_account_id: ", "ad_acount_id: ", 8, '"ad_account_id" is missing', "Ads Manager"),
    ('"549755885175"', "549755885175", 11, "ad_account_id must be text", 'ad_account_id: "549755885175"'),
    ('"549755885175"', '"12x"', 11, "ad_account_id is not of the right form", "Example: 549755885175"),
    ('"549755885175"', '"٣"', 11, "ad_account_id is not of the right form", ""),
    ("conversion_token: env:TOKEN", "conversion_token: env:NONE", 12, "conversion_token refers to env:NONE", "not set"),
    ("conversion_token: env:TOKEN", "conversion_token:", 8, '"conversion_token" is missing', "Ads Manager"),
    ("conversion_token: env:TOKEN", "conversion_token: a b", 12, "conversion_token is not of the right form", ""),
    ("conversion_token: env:TOKEN", "preset: pinyo", 12, 'preset "pinyo" is not known', '"pinyon"'),
    ("consent_categories: [advertising]", "consent_categories: ads", 13, "consent_categories is wrong", "list"),
    ("        currency: EUR", "        name: again", 6, '"name" stands twice', "Keep one"),
]


@pytest.mark.parametrize(("old", "new", "line", "what", "advice"), FAULTS)
def test_a_finding_says_where_what_and_what_to_do(old, new, line, what, advice):
    found = [finding for finding in findings(changed(old, new)) if what in finding]
    assert len(found) == 1
    assert found[0].startswith(f"pinyon.yaml:{line}: ")
    assert advice in found[0]


def test_all_findings_come_at_once():
    text = changed("currency: EUR", "currency: EURO").replace("pinterest_conversions", "pinterest_conversion")
    text = text.replace("name: acme", "nam: acme")
    assert {finding.split(":")[1] for finding in findings(text)} == {"2", "6"}
    text = (
        changed("sources: [shop]", "sources: [shopp]")
        .replace("ad_account_id", "ad_acount_id")
        .replace(":KEY", ":MISSING")
    )
    assert [finding.split(":")[1] for finding in findings(text)] == ["5", "10", "11", "8"]


def test_names_and_keys_are_unique():
    twice = GOOD + GOOD.removeprefix("workspaces:\n")
    assert [finding.partition(" ")[2] for finding in findings(twice)] == [
        'workspaces[1].name "acme" is taken. Names are unique within their list.',
        'workspaces[1].sources[0].write_key is the write key of the source "shop" too. Give each its own.',
    ]


NOT_A_CONFIGURATION = [
    ("", 1),
    ("[]", 1),
    ("5", 1),
    ("workspaces:\n  - name: [", 2),
    ("\t", 1),
    ("workspaces: {}", 1),
    ("workspaces: [5]", 1),
    ("workspaces:\n  - name: a\n  - 7", 3),
    ("? [a]\n: b", 1),
    ("a: 1\n---\nb: 2", 2),
    ("workspaces: !!python/object:os.x []", 1),
    ("workspaces: &all [*all]", 1),
    ("x: " + "[" * 2_000 + "]" * 2_000, 1),
    ("\0", 1),
    ("1: x\nworkspaces: []", 1),
]


@pytest.mark.parametrize(("text", "line"), NOT_A_CONFIGURATION, ids=lambda value: repr(value)[:30])
def test_what_is_no_configuration_is_refused_with_a_line(text, line):
    assert f"pinyon.yaml:{line}:" in findings(text)[0]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_damage_to_a_file_is_read_or_refused(data):
    start = data.draw(st.integers(0, len(GOOD)))
    end = data.draw(st.integers(start, min(len(GOOD), start + 12)))
    text = GOOD[:start] + data.draw(st.text(st.sampled_from("a: [{-&*'\"\n 1~|>%@`,]}"), max_size=4)) + GOOD[end:]
    told = told_of(text)
    assert told is None or (told and all(finding.startswith("pinyon.yaml:") for finding in told))


def test_references_stand_for_any_value():
    registry = apply(changed('"549755885175"', "env:ACCOUNT"))
    assert registry.destinations[0].settings == {"ad_account_id": "549755885175"}


def test_what_the_file_says_is_configured():
    registry = apply(GOOD)
    [workspace], [source], [destination] = registry.workspaces, registry.sources, registry.destinations
    assert (source.workspace_id, destination.workspace_id) == (workspace.id, workspace.id)
    assert (source.write_keys, source.currency, source.consent_default) == (("wk_0123456789",), "EUR", "denied")
    assert destination.source_ids == (source.id,)
    assert (destination.settings, destination.secrets) == (
        {"ad_account_id": "549755885175"},
        {"conversion_token": "pina_secret"},
    )
    assert destination.consent_categories == ("advertising",)
    assert "pina_secret" not in repr(destination)


def test_applying_again_changes_nothing():
    new_id = ids()
    first = apply(GOOD, new_id=new_id)
    assert apply(GOOD, first, new_id) == first


def test_ids_stay_when_settings_change():
    new_id = ids()
    before = apply(GOOD, new_id=new_id)
    after = apply(changed("currency: EUR", "currency: GBP").replace("[advertising]", "[]"), before, new_id)
    assert [entry.id for entry in after.sources + after.destinations] == [
        entry.id for entry in before.sources + before.destinations
    ]
    assert after.sources[0].currency == "GBP"
    assert after.destinations[0].consent_categories == ()


def test_what_the_file_no_longer_names_is_switched_off_and_comes_back():
    new_id = ids()
    before = apply(GOOD, new_id=new_id)
    emptied = apply("workspaces: []", before, new_id)
    assert emptied.workspaces == before.workspaces
    assert emptied.sources == (msgspec.structs.replace(before.sources[0], enabled=False),)
    assert emptied.destinations == (msgspec.structs.replace(before.destinations[0], enabled=False),)
    assert apply(GOOD, emptied, new_id) == before


def test_the_write_key_of_a_renamed_source_leads_to_the_new_one():
    new_id = ids()
    before = apply(GOOD, new_id=new_id)
    text = GOOD.replace("name: shop", "name: store").replace("[shop]", "[store]")
    after = apply(text, before, new_id)
    assert [(source.name, source.enabled, source.write_keys) for source in after.sources] == [
        ("store", True, ("wk_0123456789",)),
        ("shop", False, ()),
    ]
    assert after.destinations[0].source_ids == (after.sources[0].id,)


def test_equal_names_in_two_workspaces_are_two_things():
    other = GOOD.removeprefix("workspaces:\n").replace("acme", "other").replace("env:KEY", "wk_of_the_other")
    registry = apply(GOOD + other)
    assert len({entry.id for entry in registry.sources + registry.destinations}) == 4
    for destination in registry.destinations:
        [source] = [source for source in registry.sources if source.id in destination.source_ids]
        assert source.workspace_id == destination.workspace_id


def test_the_revision_is_the_one_the_change_was_made_on():
    assert apply(GOOD, Registry(7)).revision == 7


def test_the_currency_is_kept_by_its_code():
    assert apply(changed("currency: EUR", "currency: eur")).sources[0].currency == "EUR"
