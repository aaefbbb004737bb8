"""What one visit to the demo shop does, as a stream of Segment calls without their envelope.

A step is what the caller of a client library would write: `type` with `event`, `name`, `properties`, `traits` or
`groupId`. Message ids, times and contexts are added by the client that sends it (`clients.py`).
"""

import base64
import random
from collections.abc import Iterator
from typing import Any, Final

from pinyon.cli.demo.catalogue import COLLECTIONS, COUPONS, NAME, PRODUCTS, SEARCHES, SITE, Product, amount
from pinyon.cli.demo.visitors import Visitor, introduce, register

Step = dict[str, Any]

_FREE_SHIPPING: Final = 75_00  # cents of any currency
_SHIPPING: Final = 4_90
_CAMPAIGNS: Final = ("spring-linen", "oak-for-life", "garden-2026", "gifts-under-30")


class Visit:
    """`at`, `page` and `campaign` are those of the step taken last; `latest` bounds `at` (seconds since 1970)."""

    def __init__(self, rng: random.Random, visitor: Visitor, at: float, latest: float) -> None:
        self.rng = rng
        self.visitor = visitor
        self.at = at
        self.latest = latest
        self.page: dict[str, Any] | None = None
        self.campaign: dict[str, str] | None = None
        self.identified = False
        self.number = visitor.visits = visitor.visits + 1
        self._currency = visitor.market.currency
        self._basket: list[tuple[Product, int]] = []
        self._coupon: str | None = None

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def arrive(self) -> Iterator[Step]:
        """The landing page, with what brought the visitor there."""
        draw = self.rng.random()
        search, referrer, self.campaign = "", "", None
        if draw < 0.28:
            referrer, name = "https://www.pinterest.com/", self.rng.choice(_CAMPAIGNS)
            self.campaign = {"source": "pinterest", "medium": "cpc", "name": name}
            search = f"?utm_source=pinterest&utm_medium=cpc&utm_campaign={name}&epik={self._epik()}"
        elif draw < 0.38:
            name = self.rng.choice(_CAMPAIGNS)
            self.campaign = {"source": "newsletter", "medium": "email", "name": name}
            search = f"?utm_source=newsletter&utm_medium=email&utm_campaign={name}"
        elif draw < 0.65:
            referrer = "https://www.google.com/"
        where = self.rng.random()
        if where < 0.4:
            yield from self.look_at(self.rng.choice(PRODUCTS), search, referrer)
        elif where < 0.6:
            yield from self.look_through(search, referrer)
        else:
            yield self._view("/", f"{NAME} · Things for the home", search, referrer)

    def look_through(self, search: str = "", referrer: str = "") -> Iterator[Step]:
        collection = self.rng.choice(COLLECTIONS)
        yield self._view(collection.path, f"{collection.name} · {NAME}", search, referrer)
        if self.chance(0.6):
            yield self.track("Product List Viewed", collection.listed[self._currency])

    def look_at(self, product: Product, search: str = "", referrer: str = "") -> Iterator[Step]:
        yield self._view(product.path, f"{product.name} · {NAME}", search, referrer)
        yield self.track("Product Viewed", self.priced(product))

    def search(self) -> Iterator[Step]:
        query = self.rng.choice(SEARCHES)
        yield self._view("/search", f"Search · {NAME}", f"?q={query.replace(' ', '+')}")
        yield self.track("Products Searched", {"query": query})

    def put_in_basket(self) -> Iterator[Step]:
        product = self.rng.choice(PRODUCTS)
        quantity = 1 if self.chance(0.75) else self.rng.randrange(2, 5)
        yield from self.look_at(product)
        self._basket.append((product, quantity))
        yield self.track("Product Added", {"cart_id": self._cart_id(), **self.priced(product, quantity)})

    def view_basket(self) -> Iterator[Step]:
        yield self._view("/cart", f"Your basket · {NAME}")
        properties = None if self.visitor.eccentric else {"cart_id": self._cart_id(), "products": self._lines()}
        yield self.track("Cart Viewed", properties)

    def check_out(self) -> Iterator[Step]:
        if self.chance(0.2):
            self._coupon = self.rng.choice(COUPONS)
        yield self._view("/checkout", f"Checkout · {NAME}")
        yield self.track("Checkout Started", self._sums() | {"products": self._lines()})
        if self.visitor.user_id is None and self.chance(0.5):
            yield from self.sign_up()
        elif not self.identified:
            yield self.identify()

    def enter_payment(self) -> Step:
        properties = {
            "checkout_id": self._cart_id(),
            "step": 2,
            "shipping_method": "standard",
            "payment_method": self.rng.choice(("card", "paypal", "klarna")),
            "currency": self._currency,
        }
        return self.track("Payment Info Entered", properties)

    def place_order(self) -> Iterator[Step]:
        visitor = self.visitor
        visitor.orders += 1
        order_id = f"JO-{visitor.serial:07d}-{visitor.orders}"
        traits = introduce(self.rng, visitor, self.at)
        yield self._view("/checkout/thank-you", f"Thank you · {NAME}", f"?order={order_id}")
        yield self.track(
            "Order Completed",
            {
                "order_id": order_id,
                "checkout_id": self._cart_id(),
                "affiliation": NAME,
                **self._sums(),
                "email": traits["email"],
                "phone": traits["phone"],
                "products": self._lines(),
            },
        )

    def sign_up(self) -> Iterator[Step]:
        visitor = self.visitor
        register(visitor)
        traits = introduce(self.rng, visitor, self.at)
        yield self.track("Signed Up", {"email": traits["email"], "method": "password"})
        yield self.identify()
        if self.chance(0.08):
            company = {"name": f"{traits['lastName']} Interiors", "employees": 4}
            yield self._call("group", groupId=f"trade_{visitor.serial}", traits=company)

    def leave_address(self) -> Iterator[Step]:
        """The newsletter form: the shop learns an e-mail address, not an account."""
        email = introduce(self.rng, self.visitor, self.at)["email"]
        yield self.track("Lead Generated", {"category": "newsletter", "form_id": "footer", "email": email})
        yield self.identify()

    def identify(self) -> Step:
        self.identified = True
        return self._call("identify", traits=introduce(self.rng, self.visitor, self.at))

    def track(self, event: str, properties: dict[str, Any] | None) -> Step:
        return self._call("track", event=event, properties=properties)

    def screen(self, name: str) -> Step:
        return self._call("screen", name=name, properties=None if self.visitor.eccentric else {"tab": name.lower()})

    def wish(self) -> Step:
        return self.track("Product Added to Wishlist", self.priced(self.rng.choice(PRODUCTS)))

    def priced(self, product: Product, quantity: int = 1) -> dict[str, Any]:
        facts = {**product.facts[self._currency], "quantity": quantity, "currency": self._currency}
        if self.visitor.eccentric:
            facts |= {"price": f"{amount(product.prices[self._currency]):.2f}", "quantity": str(quantity)}
        return facts

    def _view(self, path: str, title: str, search: str = "", referrer: str = "") -> Step:
        if self.page is not None:
            referrer, self.campaign = self.page["url"], None
        self.page = {
            "path": path,
            "referrer": referrer,
            "search": search,
            "title": title,
            "url": f"{SITE}{path}{search}",
        }
        return self._call("page", name=title, properties=self.page)

    def _call(self, kind: str, **members: Any) -> Step:
        self.at = min(self.at + 2.0 + 20.0 * self.rng.random(), self.latest)
        return {"type": kind, **members}

    def _lines(self) -> list[dict[str, Any]]:
        return [self.priced(product, quantity) for product, quantity in self._basket]

    def _sums(self) -> dict[str, Any]:
        subtotal = sum(product.prices[self._currency] * quantity for product, quantity in self._basket)
        discount = subtotal // 10 if self._coupon else 0
        revenue = subtotal - discount
        shipping = 0 if revenue >= _FREE_SHIPPING else _SHIPPING
        tax = (revenue * self.visitor.market.tax + 50) // 100
        return {
            "total": amount(revenue + shipping + tax),
            "subtotal": amount(subtotal),
            "revenue": amount(revenue),
            "shipping": amount(shipping),
            "tax": amount(tax),
            "discount": amount(discount),
            "currency": self._currency,
            "coupon": self._coupon,
        }

    def _cart_id(self) -> str:
        return f"cart-{self.visitor.serial}-{self.number}"

    def _epik(self) -> str:
        """A click id of the observed shape: base64 of ``v=2&u=..&n=..&t=..``; opaque and case-sensitive."""
        token = base64.urlsafe_b64encode(self.rng.randbytes(33)).decode()
        plain = f"v=2&u={token[:32]}&n={token[32:]}&t=AAAAAG{token[3:9]}"
        return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def in_browser(visit: Visit) -> Iterator[Step]:
    """The funnel: most leave on the first page, about one visit in twenty ends with an order."""
    yield from visit.arrive()
    if visit.visitor.user_id is not None and visit.chance(0.7):
        yield visit.identify()
    if not visit.chance(0.33):
        return
    for _ in range(visit.rng.randrange(1, 3)):
        kind = visit.rng.random()
        if kind < 0.25:
            yield from visit.search()
        elif kind < 0.5:
            yield from visit.look_through()
        else:
            yield from visit.look_at(visit.rng.choice(PRODUCTS))
    if visit.chance(0.05):
        yield from visit.leave_address()
    if not visit.chance(0.36):
        if visit.chance(0.1):
            yield visit.wish()
        return
    yield from _buy(visit)


def in_app(visit: Visit) -> Iterator[Step]:
    """The phone application: the same shop, in screens instead of pages."""
    if visit.number == 1:
        yield visit.track("Application Installed", {"version": "4.2.0", "build": "4200"})
    yield visit.track("Application Opened", {"version": "4.2.0", "build": "4200", "from_background": False})
    yield visit.screen("Home")
    while visit.chance(0.4):
        yield visit.screen("Product")
        yield visit.track("Product Viewed", visit.priced(visit.rng.choice(PRODUCTS)))
    if visit.chance(0.2):
        yield visit.wish()


def _buy(visit: Visit) -> Iterator[Step]:
    for _ in range(visit.rng.choice((1, 1, 1, 2, 3))):
        yield from visit.put_in_basket()
    if not visit.chance(0.78):
        return
    yield from visit.view_basket()
    if not visit.chance(0.78):
        return
    yield from visit.check_out()
    if not visit.chance(0.85):
        return
    yield visit.enter_payment()
    if visit.chance(0.95):
        yield from visit.place_order()
