"""The settings and secrets of a Pinterest conversions destination, and Pinterest's limits."""

from __future__ import annotations

from typing import Final

from pinyon.ports.destination import Field

AD_ACCOUNT_ID: Final = Field(
    name="ad_account_id",
    label="Ad account ID",
    help="The number of the ad account that receives the conversions. In Ads Manager it stands in the address bar.",
    required=True,
    pattern=r"[0-9]{1,18}",
    example="549755885175",
)
CONVERSION_TOKEN: Final = Field(
    name="conversion_token",
    label="Conversion token",
    help="Made in Ads Manager under Conversions, Set up API, Generate new token. Pinterest shows it once.",
    required=True,
    secret=True,
    pattern=r"[!-~]+",  # it goes into a header
    example="env:PINTEREST_TOKEN",
)

FIELDS: Final = (AD_ACCOUNT_ID, CONVERSION_TOKEN)

#: Most events in one request. Source: API description 5.23.0, ConversionEvents.data.maxItems.
BATCH_EVENTS: Final = 1_000
#: Most bytes in one request. Not published; another vendor's connector flushes at 2 MB.
BATCH_BYTES: Final = 2_000_000
#: Calls a minute for an ad account. Source: API description 5.23.0, events/create; the rate limit page allows more.
CALLS_PER_MINUTE: Final = 5_000
#: Age beyond which an event is refused, in seconds. Seven days by several connectors; the exact bound is not published.
GREATEST_AGE: Final = 7 * 86_400
