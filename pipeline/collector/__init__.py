"""HTTP in, touchpoints in Kafka out: server → body → collect → intake → batches."""
