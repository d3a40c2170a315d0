"""HTTP in, touchpoints in Kafka out: server → body → intake → batches."""
