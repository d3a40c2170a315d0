"""The report: sessions, funnel, abandonment, phases."""
