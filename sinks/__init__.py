"""From Kafka topics to tables: consume, insert, commit."""
