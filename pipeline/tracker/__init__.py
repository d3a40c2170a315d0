"""Touchpoints in, facts out: the Faust worker around the pure functions of `pipeline.journey`."""
