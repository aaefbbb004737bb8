"""What the demo shop sells. Prices are whole cents; `amount` turns them into what a shop's JSON carries."""

import re
from typing import Any, Final

import msgspec

SITE: Final = "https://shop.example"
NAME: Final = "Juniper & Oak"
COUPONS: Final = ("WELCOME10", "SPRING10", "PIN10")  # each takes a tenth off

# Cents of the home currency (EUR) to cents of the others, in hundredths.
_RATES: Final = {"EUR": 100, "GBP": 86, "USD": 108}

_RANGE: Final[dict[str, tuple[tuple[str, str, int], ...]]] = {
    "Lighting": (
        ("Ribbed Glass Table Lamp", "Northlight", 8990),
        ("Linen Drum Shade", "Loom & Linen", 3490),
        ("Brass Swing-Arm Wall Light", "Northlight", 11990),
        ("Paper Globe Pendant", "Fernhill", 2990),
        ("Oak Tripod Floor Lamp", "Juniper & Oak", 17990),
        ("Clip Reading Light", "Northlight", 2490),
        ("Beeswax Pillar Candle", "Hearth Row", 1290),
        ("Ceramic Tealight Holder, Set of 3", "Stonepot", 1890),
    ),
    "Textiles": (
        ("Washed Linen Duvet Cover", "Loom & Linen", 12990),
        ("Waffle Cotton Throw", "Loom & Linen", 5990),
        ("Merino Blanket", "Fernhill", 14990),
        ("Velvet Cushion Cover", "Marlow", 2990),
        ("Jute Rug 160 x 230", "Fernhill", 18990),
        ("Flannel Pillowcase Pair", "Loom & Linen", 3990),
        ("Striped Tea Towels, Set of 4", "Marlow", 1990),
        ("Blackout Curtain Pair", "Marlow", 7990),
    ),
    "Kitchen": (
        ("Enamel Casserole 4 l", "Hearth Row", 8490),
        ("Walnut Chopping Board", "Juniper & Oak", 4990),
        ("Stoneware Dinner Plate", "Stonepot", 1690),
        ("Pour-Over Coffee Set", "Hearth Row", 4490),
        ("Cast-Iron Skillet 26 cm", "Hearth Row", 5490),
        ("Glass Storage Jar 1 l", "Stonepot", 1190),
        ("Café Crème Bowl", "Stonepot", 1390),
        ("Beech Spoon Set", "Juniper & Oak", 1890),
    ),
    "Furniture": (
        ("Oak Side Table", "Juniper & Oak", 15990),
        ("Ash Dining Chair", "Juniper & Oak", 18990),
        ("Rattan Lounge Chair", "Fernhill", 32990),
        ("Floating Shelf 80 cm", "Juniper & Oak", 4990),
        ("Bouclé Footstool", "Marlow", 13990),
        ("Extending Dining Table", "Juniper & Oak", 89990),
        ("Two-Drawer Bedside Table", "Juniper & Oak", 21990),
        ("Entryway Bench", "Fernhill", 24990),
    ),
    "Garden": (
        ("Terracotta Planter 30 cm", "Stonepot", 2490),
        ("Galvanised Watering Can", "Hearth Row", 3290),
        ("Folding Bistro Set", "Fernhill", 19990),
        ("Solar String Lights", "Northlight", 2790),
        ("Herb Growing Kit", "Fernhill", 1990),
        ("Wool Picnic Blanket", "Loom & Linen", 6490),
        ("Copper Bird Feeder", "Hearth Row", 3690),
    ),
    "Bath": (
        ("Organic Cotton Bath Towel", "Loom & Linen", 2990),
        ("Teak Bath Mat", "Juniper & Oak", 5490),
        ("Ceramic Soap Dispenser", "Stonepot", 2190),
        ("Bath Shelf", "Juniper & Oak", 4490),
        ("Waffle Shower Curtain", "Loom & Linen", 3990),
        ("Round Brass Mirror", "Northlight", 9990),
        ("Laundry Hamper", "Fernhill", 6990),
    ),
    "Decor": (
        ("Bud Vase Trio", "Stonepot", 2690),
        ("Oak Picture Frame A3", "Juniper & Oak", 2990),
        ("Dried Lavender Bunch", "Fernhill", 1490),
        ("Botanical Print", "Marlow", 3490),
        ("Wall Clock in Walnut", "Northlight", 7990),
        ("Wicker Tray", "Fernhill", 2890),
        ("Marble Bookends", "Stonepot", 5990),
    ),
    "Storage": (
        ("Seagrass Basket, Large", "Fernhill", 3990),
        ("Stackable Oak Box", "Juniper & Oak", 2790),
        ("Canvas Toy Bin", "Loom & Linen", 2490),
        ("Shoe Rack, Three Tiers", "Juniper & Oak", 7490),
        ("Felt Desk Organiser", "Marlow", 1990),
        ("Peg Rail with Shelf", "Juniper & Oak", 5990),
        ("Under-Bed Drawer", "Fernhill", 4990),
    ),
}


class Product(msgspec.Struct, frozen=True):
    """One article. `facts` is its Segment form for each currency; share it, never change it."""

    name: str
    path: str
    prices: dict[str, int]  # cents, by currency
    facts: dict[str, dict[str, Any]]


class Collection(msgspec.Struct, frozen=True):
    """One category; `listed` is its Product List Viewed properties for each currency."""

    name: str
    path: str
    products: tuple[Product, ...]
    listed: dict[str, dict[str, Any]]


def amount(cents: int) -> float:
    """A JSON number with at most two decimals: dividing by 100 gives the double nearest to the decimal,
    and that prints as the decimal. Sums must be taken in cents, before this."""
    return cents / 100


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.replace("é", "e").replace("è", "e").lower()).strip("-")


def _price(cents: int, currency: str) -> int:
    """The price in another currency, ending in 90 cents as the home prices do."""
    return cents * _RATES[currency] // 10_000 * 100 + 90


def _product(number: int, category: str, row: tuple[str, str, int]) -> Product:
    name, brand, cents = row
    sku = f"JO-{category[:3].upper()}-{number:03d}"
    path = f"/products/{_slug(name)}"
    prices = {currency: _price(cents, currency) for currency in _RATES}
    shared = {
        "product_id": str(48_200 + 7 * number),
        "sku": sku,
        "name": name,
        "brand": brand,
        "category": category,
        "url": SITE + path,
        "image_url": f"{SITE}/images/{sku.lower()}.jpg",
    }
    facts = {currency: {**shared, "price": amount(price)} for currency, price in prices.items()}
    return Product(name=name, path=path, prices=prices, facts=facts)


def _collection(name: str, products: tuple[Product, ...]) -> Collection:
    slug = _slug(name)
    listed = {
        currency: {
            "list_id": slug,
            "category": name,
            "currency": currency,
            "products": [
                {**product.facts[currency], "position": place} for place, product in enumerate(products[:6], 1)
            ],
        }
        for currency in _RATES
    }
    return Collection(name=name, path=f"/collections/{slug}", products=products, listed=listed)


def _collections() -> tuple[Collection, ...]:
    built: list[Collection] = []
    number = 1
    for category, rows in _RANGE.items():
        products = tuple(_product(number + place, category, row) for place, row in enumerate(rows))
        number += len(rows)
        built.append(_collection(category, products))
    return tuple(built)


COLLECTIONS: Final = _collections()
PRODUCTS: Final = tuple(product for collection in COLLECTIONS for product in collection.products)
SEARCHES: Final = (
    "linen duvet", "oak shelf", "table lamp", "planter", "wool blanket", "gift under 30", "bath mat", "café bowl",
    "rug 160x230", "wall clock", "kerzen", "basket", "vase", "dining chair", "curtains",
)  # fmt: skip
