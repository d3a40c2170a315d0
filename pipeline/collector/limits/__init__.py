"""Who is let in, how much they may send, and by which topic."""
