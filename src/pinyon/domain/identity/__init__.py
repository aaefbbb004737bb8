"""Who an event is about: identifiers brought to one form, hashed, and held without clear text.

This is the one definition of hashing in the house; columnar forms are held equal to it by tests.
"""

from pinyon.domain.identity.hashing import (
    HashedIdentity,
    hash_birth_date,
    hash_city,
    hash_country,
    hash_email,
    hash_external_id,
    hash_gender,
    hash_maid,
    hash_name,
    hash_phone,
    hash_postcode,
    hash_state,
    hash_text,
)
from pinyon.domain.identity.normalise import (
    normalise_birth_date,
    normalise_city,
    normalise_country,
    normalise_email,
    normalise_external_id,
    normalise_gender,
    normalise_maid,
    normalise_name,
    normalise_phone,
    normalise_postcode,
    normalise_state,
)
from pinyon.domain.identity.signals import is_local, parse_click_id, valid_ip

__all__ = [
    "HashedIdentity",
    "hash_birth_date",
    "hash_city",
    "hash_country",
    "hash_email",
    "hash_external_id",
    "hash_gender",
    "hash_maid",
    "hash_name",
    "hash_phone",
    "hash_postcode",
    "hash_state",
    "hash_text",
    "is_local",
    "normalise_birth_date",
    "normalise_city",
    "normalise_country",
    "normalise_email",
    "normalise_external_id",
    "normalise_gender",
    "normalise_maid",
    "normalise_name",
    "normalise_phone",
    "normalise_postcode",
    "normalise_state",
    "parse_click_id",
    "valid_ip",
]
