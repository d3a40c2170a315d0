"""The live page: where people are, where they are lost, what it costs, now; and its JSON API."""
