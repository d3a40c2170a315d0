"""Check, repair and replay: what an operator runs."""
