"""The OpenAPI document of the collector's HTTP API."""
