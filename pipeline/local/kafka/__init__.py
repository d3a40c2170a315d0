"""Apache Kafka on one machine, as a child of `touchstream up`. Shell."""
