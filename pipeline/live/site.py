"""What the page needs to know about a site before it shows anything. Shell."""

from collections.abc import Sequence
from dataclasses import dataclass

from clickhouse_connect.driver.client import Client

from pipeline.reports.live.pulse import read_channels, read_segments
from pipeline.reports.live.steps import shown_steps
from pipeline.reports.live.view import View
from pipeline.settings import Settings
from schemas.journeys import JourneyModel


@dataclass(frozen=True, kw_only=True)
class ShownPhase:
    """A phase of a model, with its labels and what the workshop noted about it."""

    id: str
    en: str
    de: str
    needs: str
    key_moment: str
    team: str


@dataclass(frozen=True, kw_only=True)
class ShownStep:
    """A step of a funnel, and the earliest phase that it is evidence for."""

    name: str
    phase: str


@dataclass(frozen=True, kw_only=True)
class ShownModel:
    """A journey model as the page shows it; the funnel has the visit as well."""

    id: str
    phases: tuple[ShownPhase, ...]
    funnel: tuple[ShownStep, ...]


@dataclass(frozen=True, kw_only=True)
class Site:
    """A site, the values of its filters, and the tag for its web pages.

    `tag` is empty if no write key is known; `collector` is where a browser sends.
    """

    site: str
    sites: tuple[str, ...]
    time_zone: str
    models: tuple[ShownModel, ...]
    channels: tuple[str, ...]
    segments: tuple[str, ...]
    collector: str
    write_key: str
    tag: str


def read_site(
    client: Client,
    view: View,
    settings: Settings,
    models: Sequence[JourneyModel],
    sites: Sequence[str],
) -> Site:
    """Describe the site of `view`; `sites` are those that may be shown."""
    key = next((key for key, may in settings.write_keys.items() if may.site == view.site), "")
    return Site(
        site=view.site,
        sites=tuple(sites),
        time_zone=settings.site_time_zones.get(view.site, "UTC"),
        models=tuple(map(_shown, models)),
        channels=tuple(read_channels(client, view)),
        segments=tuple(read_segments(client, view)),
        collector=settings.public_url,
        write_key=key,
        tag=settings.script_tag(key) if key else "",
    )


def _shown(model: JourneyModel) -> ShownModel:
    phases = (
        ShownPhase(
            id=phase.id,
            en=phase.en,
            de=phase.de,
            needs=phase.canvas.needs if phase.canvas else "",
            key_moment=phase.canvas.key_moment if phase.canvas else "",
            team=phase.canvas.team if phase.canvas else "",
        )
        for phase in model.phases
    )
    funnel = (ShownStep(name=name, phase=_phase(model, name)) for name in shown_steps(model.funnel))
    return ShownModel(id=model.id, phases=tuple(phases), funnel=tuple(funnel))


def _phase(model: JourneyModel, step: str) -> str:
    led_to = {rule.phase for rule in model.rules if step in rule.touchpoints}
    return next((phase.id for phase in model.phases if phase.id in led_to), model.phases[0].id)
