"""What is never stored: masking, addresses, pseudonyms."""
