"""Rebuild: a site computed anew from its touchpoints, through the log and the same fold."""
