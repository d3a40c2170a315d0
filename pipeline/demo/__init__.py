"""Simulated shoppers, and the demo that shows what came of them."""
