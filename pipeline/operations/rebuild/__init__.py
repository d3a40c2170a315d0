"""Rebuild: recompute a site from its touchpoints, through the log and the same fold."""
