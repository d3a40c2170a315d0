"""Measurements: `make bench` runs them, CI their short form."""
