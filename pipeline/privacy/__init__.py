"""What is not written down: masking, addresses, pseudonyms."""
