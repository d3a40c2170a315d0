"""What led to the orders, by several models."""
