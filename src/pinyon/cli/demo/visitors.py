"""Who visits the demo shop. Nobody here can be reached: addresses of RFC 2606 domains, phone numbers that the
regulators keep for fiction (Ofcom; Bundesnetzagentur, Mitteilung 148/2021; Arcep, décision 2018-0881; NANPA 555-01xx)
and IP addresses for documentation (RFC 5737, RFC 3849).
"""

import random
import unicodedata
from datetime import UTC, datetime
from typing import Any, Final, Literal

import msgspec

Channel = Literal["server", "browser", "app"]  # who reports a visitor: the shop's servers, or the own device

_HOUR: Final = 3600.0
_DAY: Final = 24 * _HOUR


class Market(msgspec.Struct, frozen=True):
    country: str
    currency: str
    tax: int  # percent
    locale: str
    timezone: str
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    streets: tuple[str, ...]
    places: tuple[tuple[str, str, str], ...]  # city, state or region, postal code
    phones: tuple[str, ...]  # how a fictional range begins, in international form
    phone_digits: int  # digits that follow it


_BRITAIN: Final = Market(
    country="GB",
    currency="GBP",
    tax=20,
    locale="en-GB",
    timezone="Europe/London",
    first_names=("Amelia", "Oliver", "Priya", "George", "Zoë", "Harry", "Chloé", "Mohammed", "Isla", "Siân"),
    last_names=("Ashworth", "Patel", "Clarke", "O'Neill", "Okafor", "Hughes", "Brontë", "Khan", "Fletcher", "Wood"),
    streets=("Mill Lane", "High Street", "Orchard Road", "Station Parade"),
    places=(
        ("London", "England", "SE15 4QN"),
        ("Leeds", "England", "LS6 2AB"),
        ("Bristol", "England", "BS3 1TF"),
        ("Glasgow", "Scotland", "G12 8QQ"),
        ("Cardiff", "Wales", "CF11 9LJ"),
    ),
    phones=tuple(
        f"+44 {area}"
        for area in (
            "20 7946 0", "113 496 0", "114 496 0", "115 496 0", "116 496 0", "117 496 0", "118 496 0", "121 496 0",
            "131 496 0", "141 496 0", "151 496 0", "161 496 0", "7700 900",
        )
    ),
    phone_digits=3,
)  # fmt: skip

_AMERICA: Final = Market(
    country="US",
    currency="USD",
    tax=8,
    locale="en-US",
    timezone="America/Chicago",
    first_names=("Emma", "Liam", "José", "Ava", "Noah", "Sofía", "Ethan", "Renée", "Mason", "Grace"),
    last_names=("Johnson", "García", "Miller", "Nguyen", "Peña", "Brown", "Davis", "Kim", "Lopez", "Carter"),
    streets=("Maple Ave", "Oak St", "Lakeview Dr", "W 4th St"),
    places=(
        ("Austin", "TX", "78704"),
        ("Chicago", "IL", "60614"),
        ("Portland", "OR", "97214-3021"),
        ("San Francisco", "CA", "94110"),
        ("Brooklyn", "NY", "11215"),
    ),
    phones=tuple(
        f"+1 {area} 555 01"
        for area in (
            "206", "212", "213", "215", "303", "305", "312", "404", "415", "503", "512", "602", "612", "617", "619",
            "702", "713", "718", "737", "773", "808", "813", "858", "901", "917", "971",
        )
    ),
    phone_digits=2,
)  # fmt: skip

_GERMANY: Final = Market(
    country="DE",
    currency="EUR",
    tax=19,
    locale="de-DE",
    timezone="Europe/Berlin",
    first_names=("Anna", "Jürgen", "Lena", "Paul", "Käthe", "Emre", "Mia", "Jonas", "Björn", "Clara"),
    last_names=("Müller", "Schmidt", "Weiß", "Yılmaz", "Becker", "Schröder", "Koch", "Wagner", "Jäger", "Vogel"),
    streets=("Lindenstraße", "Hauptstraße", "Gartenweg", "Am Markt"),
    places=(
        ("Berlin", "Berlin", "10997"),
        ("Hamburg", "Hamburg", "22765"),
        ("München", "Bayern", "80469"),
        ("Köln", "Nordrhein-Westfalen", "50823"),
        ("Frankfurt am Main", "Hessen", "60316"),
    ),
    phones=("+49 30 23125", "+49 69 90009", "+49 40 66969", "+49 221 4710", "+49 89 99998"),
    phone_digits=3,
)

_FRANCE: Final = Market(
    country="FR",
    currency="EUR",
    tax=20,
    locale="fr-FR",
    timezone="Europe/Paris",
    first_names=("Camille", "Léa", "Hugo", "Inès", "Noémie", "Lucas", "Aïcha", "Théo", "Manon", "Jules"),
    last_names=("Martin", "Lefèvre", "Moreau", "Benoît", "Dubois", "Gérard", "Rousseau", "Diallo", "Petit", "Faure"),
    streets=("rue des Lilas", "avenue Victor-Hugo", "rue de la République", "quai des Brumes"),
    places=(
        ("Paris", "Île-de-France", "75011"),
        ("Lyon", "Auvergne-Rhône-Alpes", "69007"),
        ("Nantes", "Pays de la Loire", "44000"),
        ("Saint-Étienne", "Auvergne-Rhône-Alpes", "42000"),
    ),
    phones=("+33 1 9900", "+33 2 6191", "+33 3 5301", "+33 4 6571", "+33 5 3649", "+33 6 3998"),
    phone_digits=4,
)

_MARKETS: Final = (_BRITAIN, _BRITAIN, _AMERICA, _AMERICA, _AMERICA, _GERMANY, _GERMANY, _FRANCE)

_WEBKIT: Final = "AppleWebKit/537.36 (KHTML, like Gecko)"
_MAC: Final = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
_IPHONE: Final = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
_USER_AGENTS: Final = (
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/126.0.0.0 Safari/537.36",
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_WEBKIT} Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0",
    f"{_MAC} {_WEBKIT} Chrome/126.0.0.0 Safari/537.36",
    f"{_MAC} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
    f"{_IPHONE} Version/17.5 Mobile/15E148 Safari/604.1",
    f"{_IPHONE} Mobile/15E148 [Pinterest/iOS]",
    f"Mozilla/5.0 (Linux; Android 10; K) {_WEBKIT} Chrome/126.0.0.0 Mobile Safari/537.36",
)

GRANTED: Final[dict[str, Any]] = {"categoryPreferences": {"advertising": True, "analytics": True}}
REFUSED: Final[dict[str, Any]] = {"categoryPreferences": {"advertising": False, "analytics": True}}


class Visitor(msgspec.Struct):
    """A person with one browser or phone; consent, market and address stay the same for life."""

    serial: int
    anonymous_id: str
    market: Market
    channel: Channel
    ip: str
    user_agent: str
    device_id: str  # advertising id of the phone; empty where there is none
    consent: bool | None  # None: no consent object is sent, the source's default holds
    clock_skew: float  # seconds that the visitor's clock is ahead of the true time
    eccentric: bool  # sends odd but valid values: numbers as text, null for an empty object
    user_id: str | None = None
    traits: dict[str, Any] | None = None  # once the shop has learned who this is
    visits: int = 0
    orders: int = 0
    last_seen: float = 0.0  # seconds since 1970, true time


def uuid(rng: random.Random) -> str:
    """A version 4 UUID from the seeded generator, so that a run can be repeated."""
    digits = rng.randbytes(16).hex()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def newcomer(rng: random.Random, serial: int) -> Visitor:
    draw, means = rng.random(), rng.random()
    channel: Channel = "server" if means < 0.82 else "browser" if means < 0.95 else "app"
    return Visitor(
        serial=serial,
        anonymous_id=uuid(rng),
        market=rng.choice(_MARKETS),
        channel=channel,
        ip=_ip(rng),
        user_agent=rng.choice(_USER_AGENTS),
        device_id=uuid(rng) if channel == "app" else "",
        consent=False if draw < 0.12 else True if draw < 0.82 else None,
        clock_skew=rng.choice((-26.0, -5.0, -2.5, 3.0, 9.0)) * _HOUR if rng.random() < 0.04 else 0.0,
        eccentric=rng.random() < 0.05,
    )


def introduce(rng: random.Random, visitor: Visitor, now: float) -> dict[str, Any]:
    """The visitor's traits in Segment's reserved names; drawn once, remembered after. E-mail addresses are unique."""
    if visitor.traits is None:
        market = visitor.market
        first, last = rng.choice(market.first_names), rng.choice(market.last_names)
        if rng.random() < 0.3:  # how an Apple keyboard or file name may write an accent
            first, last = unicodedata.normalize("NFD", first), unicodedata.normalize("NFD", last)
        city, state, postal_code = rng.choice(market.places)
        visitor.traits = {
            "email": _email(rng, f"{first}.{last}.{visitor.serial}"),
            "phone": _phone(rng, market, visitor.serial),
            "firstName": first,
            "lastName": last,
            "address": {
                "street": f"{rng.randrange(1, 180)} {rng.choice(market.streets)}",
                "city": city,
                "state": state,
                "postalCode": postal_code,
                "country": market.country,
            },
            "createdAt": datetime.fromtimestamp(now - rng.random() * 700 * _DAY, UTC).isoformat(timespec="seconds"),
        }
    return visitor.traits


def register(visitor: Visitor) -> None:
    visitor.user_id = f"user_{visitor.serial:07d}"


def _ip(rng: random.Random) -> str:
    if rng.random() < 0.15:
        return f"2001:db8:{rng.randrange(1, 65536):x}:{rng.randrange(1, 65536):x}::{rng.randrange(1, 65536):x}"
    return f"{rng.choice(('192.0.2', '198.51.100', '203.0.113'))}.{rng.randrange(1, 255)}"


def _email(rng: random.Random, name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().replace("'", "")
    address = f"{plain.lower()}@example.{rng.choice(('com', 'com', 'org', 'net'))}"
    draw = rng.random()
    if draw < 0.06:
        return address.upper()
    return f" {plain}+shop@Example.com " if draw < 0.10 else address


def _phone(rng: random.Random, market: Market, serial: int) -> str:
    """Unique within a market until its ranges are used up; then numbers repeat, as in a household."""
    size: int = 10**market.phone_digits
    area = market.phones[serial // size % len(market.phones)]
    spaced = f"{area}{serial % size:0{market.phone_digits}d}"
    draw = rng.random()
    if draw < 0.6:
        return spaced.replace(" ", "")
    if draw < 0.85:
        return spaced
    country, code, rest = spaced.split(" ", 2)
    return f"{country} ({code}) {rest.replace(' ', '-')}"
