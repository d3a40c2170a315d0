"""Ports that nobody listens on."""

from pipeline.local.ports import free_ports

__all__ = ["free_ports"]
