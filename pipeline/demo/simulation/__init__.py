"""Journeys that nobody made, as a shop would send them.

PURE: shop → shopper → personas → journeys.
"""
