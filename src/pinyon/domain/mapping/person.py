"""Who an event is about, hashed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from pinyon.domain import identity as ids
from pinyon.domain.event import NO_ADDRESS, NO_PAGE, NO_TRAITS, Event, Properties, Traits
from pinyon.domain.identity import HashedIdentity
from pinyon.domain.mapping.values import text

Form = TypeVar("Form", bound=HashedIdentity)

#: What senders put in the place of an address that is not to be kept.
_HIDDEN: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104  # a value that is looked for


def read_person(event: Event, peer_ip: str | None, peer_agent: str | None, form: type[Form]) -> Form:
    """All identifiers of the event, from ``context.traits``, ``traits`` and ``properties``.

    The address and user agent of the peer stand in where the event names none; the caller passes them only when the
    peer is the person's own browser.
    """
    context = event.context
    person = form()
    known = context.traits
    if known is not NO_TRAITS:
        _learn(person, known)
    if event.traits is not NO_TRAITS:
        _learn(person, event.traits)
    _learn_from_properties(person, event.properties, known)
    if event.user_id is not None:
        person.external_ids = _add(person.external_ids, ids.hash_external_id, event.user_id)
    if event.anonymous_id is not None:
        person.external_ids = _add(person.external_ids, ids.hash_external_id, event.anonymous_id)
    if context.device.advertising_id is not None:
        person.advertising_ids = _add(person.advertising_ids, ids.hash_maid, context.device.advertising_id)
    person.click_id = read_click_id(event)
    ip = context.ip if context.ip is not None else peer_ip
    address = ids.valid_ip(ip) if type(ip) is str else None
    person.ip = address if address not in _HIDDEN else None
    agent = context.user_agent
    person.user_agent = agent if type(agent) is str and agent.strip() else peer_agent
    return person


def read_click_id(event: Event) -> str | None:
    """The click id: of the page's URL, else of the URL in the properties, else one named outright.

    The newest wins: a URL that carries ``epik`` is the landing itself, all else is memory. Opaque and
    case-sensitive, so it is passed on as it stands.
    """
    page, properties = event.context.page, event.properties
    if page is not NO_PAGE:
        found = _of_url(page.url) or _of_url(page.search)
        if found is not None:
            return found
    if properties.url is not None:
        found = _of_url(properties.url)
        if found is not None:
            return found
    for named in (properties.epik, properties.click_id, properties.click_id_snake):
        if type(named) is str and named:
            return named
    return None


def _of_url(url: Any) -> str | None:
    return ids.parse_click_id(url) if type(url) is str else None


def _learn(person: HashedIdentity, traits: Traits) -> None:
    if traits.email is not None:
        person.emails = _add(person.emails, ids.hash_email, traits.email)
    if traits.phone is not None:
        person.phones = _add(person.phones, ids.hash_phone, traits.phone)
    first_name = traits.first_name if traits.first_name is not None else traits.first_name_snake
    if first_name is not None:
        person.first_names = _add(person.first_names, ids.hash_name, first_name)
    last_name = traits.last_name if traits.last_name is not None else traits.last_name_snake
    if last_name is not None:
        person.last_names = _add(person.last_names, ids.hash_name, last_name)
    if traits.gender is not None:
        person.genders = _add(person.genders, ids.hash_gender, traits.gender)
    if traits.birthday is not None:
        person.birth_dates = _add(person.birth_dates, ids.hash_birth_date, traits.birthday)
    if traits.address is not NO_ADDRESS or not traits.city is traits.state is traits.zip is traits.country is None:
        _learn_place(person, traits)


def _learn_from_properties(person: HashedIdentity, properties: Properties, known: Traits) -> None:
    """What the traits said already is not hashed a second time."""
    if properties.email is not None and properties.email != known.email:
        person.emails = _add(person.emails, ids.hash_email, properties.email)
    if properties.phone is not None and properties.phone != known.phone:
        person.phones = _add(person.phones, ids.hash_phone, properties.phone)
    if properties.first_name is not None and properties.first_name != known.first_name:
        person.first_names = _add(person.first_names, ids.hash_name, properties.first_name)
    if properties.last_name is not None and properties.last_name != known.last_name:
        person.last_names = _add(person.last_names, ids.hash_name, properties.last_name)


def _learn_place(person: HashedIdentity, traits: Traits) -> None:
    """Each member from the address object, else from the traits themselves."""
    address = traits.address
    city = address.city if address.city is not None else traits.city
    state = address.state if address.state is not None else traits.state
    postcode = text(address.postal_code if address.postal_code is not None else traits.zip)
    country = text(address.country if address.country is not None else traits.country)
    if country is not None:
        person.countries = _add(person.countries, ids.hash_country, country)
    if city is not None:
        person.cities = _add(person.cities, ids.hash_city, city)
    if state is not None:
        person.states = _add(person.states, ids.hash_state, state)
    if postcode is not None:
        code = ids.normalise_country(country) if country is not None else None
        person.postcodes = _add(person.postcodes, lambda raw: ids.hash_postcode(raw, code), postcode)


def _add(digests: list[str] | None, hash_value: Callable[[str], str | None], value: Any) -> list[str] | None:
    """The list with the value's digest, once; the list itself when the value is of no use."""
    if type(value) is not str:
        value = text(value)
        if value is None:
            return digests
    digest = hash_value(value)
    if digest is None:
        return digests
    if digests is None:
        return [digest]
    if digest not in digests:
        digests.append(digest)
    return digests
