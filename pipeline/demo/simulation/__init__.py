"""Invented journeys, as a shop would send them.

PURE: shop → shopper → personas → journeys.
"""
