"""Measurements. `make bench` runs them; nothing here asserts a speed except the short form in CI."""
