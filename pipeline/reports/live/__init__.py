"""The questions of the live page: one file for each, with its SQL and the shape of its rows."""
