"""Importing files: CSV, JSON lines, Parquet and access logs become touchpoints."""
