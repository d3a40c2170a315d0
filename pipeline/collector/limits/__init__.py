"""Who is let in, how much, and on which way into Kafka."""
