"""Journey models and journeys for a terminal. Lays out what it is given; reads nothing."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipeline.reports.moves.answer import Move
from pipeline.reports.moves.rule_words import conditions, ways
from schemas.fields import Language
from schemas.journeys import JourneyModel, Rule


def render_models(models: Iterable[tuple[JourneyModel, str]]) -> RenderableType:
    """Lay out models, each with a note about its use."""
    table = _table("", "model", "version", "phases", "use")
    for model, use in models:
        table.add_row(model.id, model.version, " → ".join(p.id for p in model.phases), use)
    return table


def render_model(model: JourneyModel, lang: Language = "en") -> RenderableType:
    """Lay out what a model file says about phases, and name the phases that no rule leads to."""
    return Group(
        Text(f"{model.id}, version {model.version}: {'; '.join(ways(model))}"),
        _phases(model, lang),
        _rules(model),
        *(Text(f"No rule leads to the phase {phase}.") for phase in model.unreached),
    )


def _phases(model: JourneyModel, lang: Language) -> Table:
    table = _table("Phases", "phase", "label", "longest", "rules")
    for phase in model.phases:
        led = ", ".join(rule.id for rule in model.rules if rule.phase == phase.id)
        longest = str(phase.longest or "").removesuffix(", 0:00:00")
        table.add_row(phase.id, getattr(phase, lang), longest, led)
    return table


def _rules(model: JourneyModel) -> Table:
    table = _table("Rules, the first that holds decides", "rule", "phase", "when", "touchpoints")
    for rule in model.rules:
        table.add_row(rule.id, rule.phase, conditions(rule), ", ".join(rule.touchpoints))
    return table


def render_moves(
    moves: Sequence[Move],
    models: Iterable[JourneyModel],
    rule_version: str,
    lang: Language = "en",
) -> RenderableType:
    """Lay out journeys, each with its phase and the moves that led there."""
    known = {model.id: model for model in models}
    journeys = groupby(moves, key=lambda move: (move.site, move.person_id, move.model))
    parts: list[RenderableType] = [
        part
        for (_, _, model), journey in journeys
        for part in _journey(list(journey), known.get(model), lang)
    ]
    if {move.rule_version for move in moves} - {rule_version}:
        parts.append(
            Text(f"Some of it was found by other rules than those of now ({rule_version}).")
        )
    return Group(*parts)


def _journey(
    moves: Sequence[Move], model: JourneyModel | None, lang: Language
) -> Iterator[RenderableType]:
    last = moves[-1]
    labels = {phase.id: getattr(phase, lang) for phase in model.phases} if model else {}
    rules = {rule.id: rule for rule in model.rules} if model else {}
    yield Text(
        f"{last.model}: person {last.person_id} on {last.site} is in "
        f"{labels.get(last.to_phase, last.to_phase)}, cycle {last.cycle}, "
        f"since {last.at:%Y-%m-%d %H:%M:%S}"
    )
    table = _table("", "at", "move", "phase", "touchpoint", "rule", "why")
    for move in moves:
        touchpoint = " ".join(filter(None, (move.touchpoint_name, move.channel, move.path)))
        why = _why(move, rules.get(move.rule))
        phase = labels.get(move.to_phase, move.to_phase)
        table.add_row(
            f"{move.at:%Y-%m-%d %H:%M:%S}", _kind(move), phase, touchpoint, move.rule, why
        )
    yield table


def _kind(move: Move) -> str:
    if move.kind != "cycle":
        return move.kind
    return f"cycle {move.cycle}" + ("" if move.from_phase else ", after a long silence")


def _why(move: Move, rule: Rule | None) -> str:
    if rule is None:
        return "this rule is in no model file any more"
    return conditions(rule) or f"{move.touchpoint_name} by its name"


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title or None, title_justify="left")
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table
