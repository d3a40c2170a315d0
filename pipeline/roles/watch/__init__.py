"""Alerts about the shop: `loop` → `rounds` → `reader` count, `site` → `judge` → `evidence` decide.

What is usual stands in `rates` and `volumes`; `alerts` writes it down, `delivery` tells people.
"""
