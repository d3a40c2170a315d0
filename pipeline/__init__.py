"""From a touchpoint to facts: collect, track, import, report, watch."""
