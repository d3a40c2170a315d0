"""Whether a role on this machine is well, for the health checks of containers."""

import urllib.request
from typing import NamedTuple
from urllib.error import HTTPError

import click

from pipeline.cli.shared import read_settings
from pipeline.settings import BadSettings, Settings
from schemas.errors import TouchstreamError, Unavailable

_SECONDS = 4


class _Probe(NamedTuple):
    """Where a role answers: the settings with its host and port, and the path."""

    host: str
    port: str
    path: str = "/healthz/live"


PROBES = {
    "collect": _Probe("collector_host", "collector_port"),
    "drain": _Probe("metrics_host", "drain_metrics_port"),
    "live": _Probe("live_host", "live_port", "/healthz/ready"),
    "sink": _Probe("metrics_host", "sink_metrics_port"),
    "track": _Probe("metrics_host", "tracker_metrics_port"),
    "watch": _Probe("metrics_host", "watch_metrics_port"),
    "webhook": _Probe("metrics_host", "webhook_metrics_port"),
}
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - not bound to, but asked instead


class Unwell(TouchstreamError):
    """The role answers that it does not move on; the text is its own."""


@click.command()
@click.argument("role", type=click.Choice(list(PROBES)))
def health(role: str) -> None:
    """Ask a role on this machine, with the settings it runs with, whether it is well.

    The exit code is 0 if it is, 1 if it makes no progress, and 69 if it does not answer.
    """
    click.echo(_answer_of(url_of(read_settings(), role), role))


def url_of(settings: Settings, role: str) -> str:
    """Give where `role` answers for its health; BadSettings if its port is switched off."""
    probe = PROBES[role]
    host, port = str(getattr(settings, probe.host)), getattr(settings, probe.port)
    if not port:
        raise BadSettings(
            f"`touchstream {role}` cannot be asked: TOUCHSTREAM_{probe.port.upper()} is 0"
        )
    host = _EVERYWHERE.get(host, host)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}{probe.path}"


def _answer_of(url: str, role: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=_SECONDS) as answer:  # noqa: S310 - http, see above
            return str(answer.read().decode().strip()) or "ok"
    except HTTPError as error:
        said = error.read().decode(errors="replace").strip()
        raise Unwell(f"`touchstream {role}` is not well: {said or error}") from None
    except OSError as error:
        why = getattr(error, "reason", error)
        raise Unavailable(f"`touchstream {role}` does not answer at {url}: {why}") from None
