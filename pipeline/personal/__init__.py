"""A person's data: find it, hand it out, erase it."""
