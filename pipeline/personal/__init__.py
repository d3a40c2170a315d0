"""A person's data: find, export, erase."""
