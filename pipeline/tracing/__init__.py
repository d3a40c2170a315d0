"""Traces by OpenTelemetry, from a request to the rows that came of it; docs/tracing.md."""
