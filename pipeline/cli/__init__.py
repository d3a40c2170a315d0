"""The commands. The only place that wires roles, settings and the outside together."""

from pipeline.cli.commands import main

__all__ = ["main"]
