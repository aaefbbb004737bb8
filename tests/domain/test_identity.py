"""Identifiers: the rules against outside vectors, and what holds for any text."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pinyon.domain import identity

VECTORS = json.loads((Path(__file__).parent / "vectors" / "identity.json").read_text("utf-8"))["vectors"]
FIELDS = [
    "email",
    "phone",
    "gender",
    "birth_date",
    "name",
    "city",
    "state",
    "postcode",
    "country",
    "maid",
    "external_id",
]
NORMALISE = {field: getattr(identity, f"normalise_{field}") for field in FIELDS}
HASH = {field: getattr(identity, f"hash_{field}") for field in FIELDS}

# SHA-256 and SHA-1 of "abc" from FIPS 180-4's examples, MD5 of "abc" from RFC 1321, appendix A.5.
SHA256_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
SHA1_ABC = "a9993e364706816aba3e25717850c26c9cd0d89d"
MD5_ABC = "900150983cd24fb0d6963f7d28e17f72"
SHA256_OF_NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # NIST's empty message

# Texts as JSON may carry them, half surrogate pairs included, and texts that come near to each rule's own.
NEAR = st.text(alphabet="0123456789+-()/.,@ TtZzaAéÉßİΣ\u0301\u200b\u00a0'’x'", max_size=24)
ANY_TEXT = st.one_of(st.text(st.characters(), max_size=40), NEAR)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["id"])
def test_vector(vector):
    field, raw, options = vector["field"], vector["raw"], vector["options"]
    if vector["normalized"] is None or vector["normalized"] != vector["sha256"]:
        assert NORMALISE[field](raw, **options) == vector["normalized"]
    assert HASH[field](raw, **options) == vector["sha256"]


def test_the_vectors_reach_every_field():
    assert {vector["field"] for vector in VECTORS} == set(FIELDS)


def test_published_sample_digest():
    """The one sample in Pinterest's API description 5.23.0 whose input is known and agrees with its text."""
    assert identity.hash_postcode("99999") == "fd5f56b40a79a385708428e7b32ab996a681080a166a2206e750eb4819186145"


@settings(deadline=None)
@pytest.mark.parametrize("field", FIELDS)
@given(raw=ANY_TEXT)
@example(raw="\ud800@example.com")
@example(raw="\u200b@x")
@example(raw="\u0301")
def test_any_text_gives_a_stable_text_or_none(field, raw):
    text = NORMALISE[field](raw)
    if text is not None:
        assert text.strip() == text != ""
        assert NORMALISE[field](text) == text
        assert HASH[field](raw) == identity.hash_text(text)


@settings(deadline=None)
@pytest.mark.parametrize("field", FIELDS)
@given(raw=ANY_TEXT)
def test_any_text_gives_a_digest_or_none(field, raw):
    digest = HASH[field](raw)
    assert digest is None or re.fullmatch("[0-9a-f]{64}", digest)


@settings(deadline=None)
@given(digits=st.text("0123456789 -+", max_size=18), country=st.sampled_from(["us", "gb", "ca", "de", None]))
def test_postcode_is_stable_in_its_country(digits, country):
    text = identity.normalise_postcode(digits, country)
    assert text is None or identity.normalise_postcode(text, country) == text


@settings(deadline=None)
@given(subscriber=st.integers(20_0000_0000, 79_9999_9999))
def test_phone_is_stable_with_the_default_of_its_country(subscriber):
    text = identity.normalise_phone(f"0{subscriber}", "44")
    assert text == f"44{subscriber}"
    assert identity.normalise_phone(text, "44") == text


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("given_digest", [SHA256_ABC, SHA256_ABC.upper(), f" {SHA256_ABC}\n"])
def test_sha256_digest_is_kept(field, given_digest):
    assert HASH[field](given_digest) == SHA256_ABC


@pytest.mark.parametrize("field", FIELDS)
def test_digest_of_nothing_is_left_out(field):
    assert HASH[field](SHA256_OF_NOTHING) is None


@pytest.mark.parametrize("field", [field for field in FIELDS if field not in {"maid", "external_id"}])
@pytest.mark.parametrize("other_digest", [MD5_ABC, MD5_ABC.upper(), SHA1_ABC, f" {SHA1_ABC} "])
def test_md5_and_sha1_are_refused(field, other_digest):
    assert HASH[field](other_digest) is None


def test_what_looks_like_md5_may_be_an_id():
    # A UUID without hyphens, and an id of 32 digits, have the length of an MD5 digest.
    assert identity.hash_maid(MD5_ABC) == identity.hash_text("90015098-3cd2-4fb0-d696-3f7d28e17f72")
    assert identity.hash_maid(SHA1_ABC) is None
    assert identity.hash_external_id(MD5_ABC) == identity.hash_text(MD5_ABC)


def test_hash_text_takes_text_as_it_is():
    assert identity.hash_text("abc") == SHA256_ABC
    assert identity.hash_text("") == SHA256_OF_NOTHING
    assert identity.hash_text(" abc") != SHA256_ABC


def test_case_sensitive_external_id():
    assert identity.normalise_external_id(" AbC ", case_sensitive=True) == "AbC"
    assert identity.hash_external_id("abc", case_sensitive=True) == SHA256_ABC
    assert identity.hash_external_id("ABC", case_sensitive=True) != SHA256_ABC


@pytest.mark.parametrize("raw", ["@", "@example.com", "jane@", "jane", " @ "])
def test_email_needs_both_sides(raw):
    assert identity.normalise_email(raw) is None


@pytest.mark.parametrize("raw", ["\ufeffjane@example.com", "jane@\u200bexample.com", "jane@example.com\u00a0"])
def test_characters_nobody_typed_go(raw):
    assert identity.normalise_email(raw) == "jane@example.com"


@pytest.mark.parametrize(
    ("raw", "code", "digits"),
    [
        ("555-123-4567", None, None),  # national: nothing says which country
        ("030 901820", None, None),
        ("030 901820", "49", "4930901820"),
        ("5551234567", "1", "15551234567"),
        ("15551234567", "1", "15551234567"),
        ("011 44 20 7946 0958", "1", "442079460958"),  # dialled from North America
        ("+49 30 901820", "1", "4930901820"),
        ("0049 30 901820", "44", "4930901820"),
        ("06 6988 3712", "39", "390669883712"),  # Italy keeps the zero (libphonenumber, italian_leading_zero)
        ("393 123 4567", "39", "393931234567"),  # a mobile prefix of Italy that begins like its country code
        ("＋４４ ２０ ７９４６ ０９５８", None, "442079460958"),
        ("123456", None, None),
        ("+1234567890123456", None, None),  # sixteen digits: more than E.164 allows
    ],
)
def test_phone(raw, code, digits):
    assert identity.normalise_phone(raw, code) == digits


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (" 1997-1-5 ", "19970105"),
        ("1997-1-5 ", "19970105"),
        ("1997-12-26T23:59:59-08:00", "19971226"),
        ("1997.12.26", "19971226"),
        ("1997-12/26", None),
        ("1997111", None),
        ("26121997", None),  # the year 2612
        ("0001-01-01", None),
        ("1899-12-30", None),  # day 0 of spreadsheets
        ("1997-W52-5", None),
        ("19971301", None),
    ],
)
def test_birth_date(raw, text):
    assert identity.normalise_birth_date(raw) == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("AU-NSW", None),
        ("ZZ-CA", None),
        ("DE-BY", "by"),
        ("D.C.", "dc"),
        ("12", None),
        ("Québec", "qc"),
        ("ca-on", "on"),
    ],
)
def test_state(raw, text):
    assert identity.normalise_state(raw) == text


@pytest.mark.parametrize(
    ("raw", "country", "text"),
    [
        ("2139", "us", "02139"),  # a number lost its zero
        ("21391234", "us", "02139"),
        ("1", "us", None),
        ("D02 X285", "ie", "d02x285"),
        ("1012 ab", "nl", "1012ab"),
        ("LV-1010", "lv", "1010"),
        ("unknown", "gb", None),
        ("unknown", None, None),
        ("１００-０００１", "jp", "1000001"),
    ],
)
def test_postcode(raw, country, text):
    assert identity.normalise_postcode(raw, country) == text


def test_city_keeps_marks_that_have_no_composed_form():
    assert identity.normalise_city("नई दिल्ली") == "नईदिल्ली"


EPIK = "dj0yJnU9b2JDcFFHekV4SHJNcmVrbFBkUEdqakh0akdUT1VjVVUmcD0yJm49cnNBQ3F2Q2dOVDBXWWhkWklrUGxBUSZ0PUFBQUFBR1BaY3Bv"


@pytest.mark.parametrize(
    ("url", "click_id"),
    [
        (f"https://shop.example/?epik={EPIK}", EPIK),  # the value is the sample of Pinterest API description 5.23.0
        (f"https://shop.example/a?b=c&EPIK={EPIK}#top", EPIK),
        (f"?utm_source=pinterest&Epik={EPIK}&x=1", EPIK),
        (f"epik={EPIK}", EPIK),
        ("https://shop.example/?epik=first&epik=second", "first"),
        ("https://shop.example/?epik=a%3D%3D+b", "a%3D%3D+b"),
        ("https://shop.example/?epik=a==", "a=="),
        ("https://shop.example/?epik=", None),
        ("https://shop.example/?epik", None),
        ("https://shop.example/?xepik=1", None),
        ("https://shop.example/?next=/b?epik=1", None),
        ("https://shop.example/#?epik=1", None),
        ("https://shop.example/epik=1", None),
        ("https://shop.example/&epik=1", None),
        ("", None),
    ],
)
def test_click_id(url, click_id):
    assert identity.parse_click_id(url) == click_id


@settings(deadline=None)
@given(url=ANY_TEXT, value=st.text("abcXYZ019-_=%.", min_size=1))
def test_click_id_is_found_in_any_url(url, value):
    assert identity.parse_click_id(url) is None or "epik" in url.lower()
    before = url.replace("#", "").replace("?", "").replace("&", "")
    assert identity.parse_click_id(f"{before}?a=1&ePik={value}&b=2") == value


@pytest.mark.parametrize(
    ("raw", "ip"),
    [
        ("216.3.128.12", "216.3.128.12"),
        (" 216.3.128.12\n", "216.3.128.12"),
        # RFC 5952, sections 1 and 4: spellings of one address and the one to use
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:0db8::1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:DB8::AAAA:0:0:1", "2001:db8::aaaa:0:0:1"),
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::FFFF:c000:201", "192.0.2.1"),
        ("::ffff:0:c000:201", "::ffff:0:c000:201"),  # RFC 2765's translated form: not a mapped one
        ("::1", "::1"),
        ("216.3.128.12:443", None),
        ("[2001:db8::1]", None),
        ("[2001:db8::1]:443", None),
        ("fe80::1%eth0", None),
        ("216.3.128", None),
        ("216.3.128.256", None),
        ("216.03.128.12", None),
        ("3624108044", None),
        ("10.0.0.1, 216.3.128.12", None),
        ("localhost", None),
        ("", None),
    ],
)
def test_ip(raw, ip):
    assert identity.valid_ip(raw) == ip


@settings(deadline=None)
@given(address=st.ip_addresses())
def test_ip_is_stable(address):
    ip = identity.valid_ip(str(address))
    assert ip is not None
    assert identity.valid_ip(ip) == ip


@settings(deadline=None)
@given(raw=st.one_of(st.text(st.characters()), st.text("0123456789abcdef:.%/[]", max_size=20)))
@example(raw="1.2.3.4\x00")
@example(raw="\ud800")
def test_any_text_is_an_ip_or_not(raw):
    ip = identity.valid_ip(raw)
    assert ip is None or identity.valid_ip(ip) == ip
