"""What the live page asks: one file for each question, its SQL and the shape of its rows."""
