"""Segment's event names and where they happen. PURE: knows names, maps nothing else."""

from collections.abc import Collection
from typing import get_args

from schemas.fields import Channel
from schemas.touchpoint import TouchpointType

NAMES = {
    "page": "Page Viewed",
    "screen": "Screen Viewed",
    "identify": "Identified",
    "alias": "Aliased",
    "group": "Grouped",
}
"""The names of calls that bring none of their own; `track` names its event."""

_CHANNELS: dict[object, Channel] = {channel: channel for channel in get_args(Channel)}

_SHOP = frozenset(
    {
        "Products Searched",
        "Product List Viewed",
        "Product List Filtered",
        "Promotion Viewed",
        "Promotion Clicked",
        "Product Clicked",
        "Product Viewed",
        "Product Added",
        "Product Removed",
        "Cart Viewed",
        "Checkout Started",
        "Checkout Step Viewed",
        "Checkout Step Completed",
        "Payment Info Entered",
        "Order Completed",
        "Order Updated",
        "Order Refunded",
        "Order Cancelled",
        "Coupon Entered",
        "Coupon Applied",
        "Coupon Denied",
        "Coupon Removed",
        "Product Added to Wishlist",
        "Product Removed from Wishlist",
        "Wishlist Product Added to Cart",
        "Product Shared",
        "Cart Shared",
        "Product Reviewed",
    }
)

_MAIL = frozenset(
    {
        "Email Bounced",
        "Email Delivered",
        "Email Link Clicked",
        "Email Marked as Spam",
        "Email Opened",
        "Unsubscribed",
    }
)

# A mail that belongs to a campaign or a list is a newsletter; the others are order mails and such.
_CAMPAIGN = ("campaign_id", "campaign_name", "list_id", "list_name")


def told_channel(word: object) -> Channel | None:
    """Give the channel that `word` names, if it is one of ours."""
    return _CHANNELS.get(word) if isinstance(word, str) else None


def usual_channel(kind: TouchpointType, name: str, properties: Collection[str]) -> Channel:
    """Say where a touchpoint of this name happens when the sender does not."""
    if name in _SHOP:
        return "shop"
    if name in _MAIL:
        return "newsletter" if any(word in properties for word in _CAMPAIGN) else "email"
    return "app" if kind == "screen" else "website"
