"""What comes from outside, read the same way everywhere: texts, identifiers, money, hosts."""
