"""One number that moves all ports of a machine. PURE."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, Field, model_validator

LISTENERS = (
    "collector_port",
    "live_port",
    "kafka",
    "clickhouse",
    "tracker_metrics_port",
    "sink_metrics_port",
    "watch_metrics_port",
    "webhook_metrics_port",
    "drain_metrics_port",
)
"""Who gets the ports from the base on, in this order."""

_LARGEST = 65_536 - len(LISTENERS)

_ADDRESSES = {
    "kafka": ("kafka_bootstrap_servers", "127.0.0.1:{}"),
    "clickhouse": ("clickhouse_url", "http://127.0.0.1:{}"),
}


class PortSettings(BaseModel):
    """Where everything listens."""

    port_base: int = Field(
        0,
        ge=0,
        le=_LARGEST,
        description="Port of the collector. The live page, Kafka, ClickHouse and the metrics of "
        "tracker, sink, watch, webhook and drain get the ports after it, in this order. What is "
        "set by itself stays. 0: the usual ports.",
    )

    @model_validator(mode="before")
    @classmethod
    def _from_the_base(cls, given: Any) -> Any:
        base = str(given.get("port_base", "")) if isinstance(given, Mapping) else ""
        if not base.isdecimal() or not 0 < int(base) <= _LARGEST:
            return given
        collector = given.get("collector_port", base)
        moved = listening_on(ports_from(int(base)))
        return moved | {"public_url": f"http://127.0.0.1:{collector}"} | given


def ports_from(base: int) -> range:
    """Return a port for each of `LISTENERS`."""
    return range(base, base + len(LISTENERS))


def listening_on(ports: Iterable[int]) -> dict[str, Any]:
    """Return the settings with which each of `LISTENERS` has one of `ports`, in order."""
    found: dict[str, Any] = dict(zip(LISTENERS, ports, strict=True))
    for name, (setting, address) in _ADDRESSES.items():
        found[setting] = address.format(found.pop(name))
    return found
