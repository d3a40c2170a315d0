"""The questions to ClickHouse."""
