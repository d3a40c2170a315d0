"""The questions that are asked of ClickHouse."""
