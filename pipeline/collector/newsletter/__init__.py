"""Signed links of newsletters: opens, clicks, unsubscribing."""
