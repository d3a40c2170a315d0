"""The live page and its JSON API: where people are now, where they are lost, and the cost."""
