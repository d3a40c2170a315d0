"""What led to orders, by several models."""
