"""What comes from outside, read the same way at every door: texts, identifiers, money, hosts."""
