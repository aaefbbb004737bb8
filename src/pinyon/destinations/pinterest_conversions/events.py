"""Pinterest's event names and the presets that lead to them, as data."""

from __future__ import annotations

from typing import Final

from pinyon.domain.mapping import MappingRule, Trigger
from pinyon.ports.destination import Preset

#: Names in the API description 5.28.0; the first fifteen also in 5.23.0. Other names are "advertiser-defined".
EVENT_NAMES: Final = (
    "add_payment_info",
    "add_to_cart",
    "add_to_wishlist",
    "app_install",
    "checkout",
    "custom",
    "initiate_checkout",
    "lead",
    "page_visit",
    "search",
    "signup",
    "subscribe",
    "view_category",
    "view_content",
    "watch_video",
    "app_open",
    "contact",
    "customize_product",
    "find_location",
    "schedule",
    "start_trial",
    "submit_application",
)


def _track(event: str, name: str) -> MappingRule:
    return MappingRule(Trigger("track", event), name)


#: The default: the whole e-commerce part of the Segment spec (version 2) and the events around it.
PINYON: Final = Preset(
    name="pinyon",
    help="All events of the Segment e-commerce spec that Pinterest has a name for.",
    rules=(
        MappingRule(Trigger("page"), "page_visit"),
        _track("Product Viewed", "view_content"),
        _track("Product List Viewed", "view_category"),
        _track("Product Category Viewed", "view_category"),
        _track("Products Searched", "search"),
        _track("Product List Filtered", "search"),
        _track("Product Added", "add_to_cart"),
        _track("Product Added to Wishlist", "add_to_wishlist"),
        _track("Checkout Started", "initiate_checkout"),
        _track("Payment Info Entered", "add_payment_info"),
        _track("Order Completed", "checkout"),
        _track("Signed Up", "signup"),
        _track("Lead Generated", "lead"),
        _track("Generate Lead", "lead"),
        _track("Trial Started", "start_trial"),
        _track("Subscription Created", "subscribe"),
        _track("Product Video Watched", "watch_video"),
        _track("Video Playback Started", "watch_video"),
        _track("Application Installed", "app_install"),
        _track("Application Opened", "app_open"),
    ),
)

PRESETS: Final = (PINYON,)
