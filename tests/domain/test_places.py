"""Countries and states by code and name."""

from __future__ import annotations

from itertools import product
from string import ascii_lowercase

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinyon.domain.places import country_code, state_code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        # ISO 3166-1: short names as the standard has them, alpha-2 and alpha-3
        ("de", "de"),
        ("DEU", "de"),
        ("CHE", "ch"),
        ("AUT", "at"),
        ("AUS", "au"),
        ("Bolivia (Plurinational State of)", "bo"),
        ("Bolivia, Plurinational State of", "bo"),
        ("Bahamas (the)", "bs"),
        ("Korea, Republic of", "kr"),
        ("Korea, Democratic People's Republic of", "kp"),
        ("Côte d'Ivoire", "ci"),
        ("Türkiye", "tr"),
        ("Virgin Islands, British", "vg"),
        ("Virgin Islands, U.S.", "vi"),
        # English names of Unicode CLDR 44, which browsers use
        ("Côte d’Ivoire", "ci"),
        ("Congo - Kinshasa", "cd"),
        ("Congo - Brazzaville", "cg"),
        ("Hong Kong SAR China", "hk"),
        ("Myanmar (Burma)", "mm"),
        ("St. Kitts & Nevis", "kn"),
        ("U.S. Outlying Islands", "um"),
        ("São Tomé & Príncipe", "st"),
        # names of German, French, Spanish and other places for themselves and others (Unicode CLDR 44)
        ("Deutschland", "de"),
        ("ÖSTERREICH", "at"),
        ("GROSSBRITANNIEN", "gb"),
        ("Allemagne", "de"),
        ("Estados Unidos", "us"),
        ("日本", "jp"),
        ("Ελλάδα", "gr"),
        # what people write
        (" the  netherlands ", "nl"),
        ("U.S.A.", "us"),
        ("U.K.", "gb"),
        ("UK", "gb"),
        ("EL", "gr"),
        ("Scotland", "gb"),
        ("Ivory Coast", "ci"),
        ("Cote d'Ivoire", "ci"),
        ("Vietnam", "vn"),
        ("Georgia", "ge"),
        ("Kosovo", "xk"),
        ("Atlantis", None),
        ("ZZ", None),
        ("", None),
        ("the", None),
    ],
)
def test_country(text, code):
    assert country_code(text) == code


def test_all_codes_of_the_standard_are_there():
    """ISO 3166-1 has 249 entries; XK, UK and EL are in use besides."""
    found = {code for pair in product(ascii_lowercase, repeat=2) if (code := country_code("".join(pair)))}
    spellings = sum(country_code("".join(pair)) is not None for pair in product(ascii_lowercase, repeat=2))
    assert len(found) == 249 + 1
    assert spellings == 249 + 3
    assert {country_code(code) for code in found} == found


@pytest.mark.parametrize(
    ("text", "code"),
    [
        # USPS Publication 28, appendix B
        ("California", "ca"),
        ("NEW YORK", "ny"),
        ("north  carolina", "nc"),
        ("District of Columbia", "dc"),
        ("Washington, D.C.", "dc"),
        ("Washington", "wa"),
        ("Georgia", "ga"),
        ("Puerto Rico", "pr"),
        # Canada Post
        ("Ontario", "on"),
        ("Québec", "qc"),
        ("quebec", "qc"),
        ("Newfoundland and Labrador", "nl"),
        ("Yukon", "yt"),
        # no two-letter code
        ("Bayern", None),
        ("New South Wales", None),
        ("", None),
    ],
)
def test_state(text, code):
    assert state_code(text) == code


@settings(deadline=None)
@given(text=st.text(st.characters()))
def test_any_text_is_a_place_or_not(text):
    for code in (country_code(text), state_code(text)):
        assert code is None or (len(code) == 2 and code.isascii() and code.islower())
