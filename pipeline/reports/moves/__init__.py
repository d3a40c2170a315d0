"""Why somebody is in a phase."""
