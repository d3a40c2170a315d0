"""Journey models, and why a person is in a phase."""

import click
from rich.text import Text

from pipeline.cli.shared import LANG, SITE, clickhouse, labels_in, read_settings
from pipeline.terminal import print_whole
from schemas.fields import Language


@click.group()
def journeys() -> None:
    """Show journey models, and why a person is in a phase."""


@journeys.command("list")
def list_() -> None:
    """List the shipped and enabled models; the first enabled one is the default."""
    from pipeline.reports.moves.text import render_models
    from schemas.journeys import SHIPPED, load_model, load_models

    enabled = load_models(read_settings().journey_models)
    uses = {model.id: "enabled" for model in enabled} | {enabled[0].id: "enabled, the default"}
    shipped = [load_model(path.stem) for path in sorted(SHIPPED.glob("*.toml"))]
    others = [(model, "not enabled") for model in shipped if model.id not in uses]
    print_whole(render_models([*((model, uses[model.id]) for model in enabled), *others]))


@journeys.command()
@click.argument("file")
@LANG
def check(file: str, lang: Language | None) -> None:
    """Report mistakes in a model file, or list its phases and rules.

    It also lists names that never have an effect. FILE is a path, or the name of a shipped model.
    docs/journeys.md explains model files.
    """
    from pipeline.journey.idle import idle_names
    from pipeline.reports.moves.text import render_model
    from schemas.journeys import load_model, load_models

    model = load_model(file)
    print_whole(render_model(model, labels_in(lang)))
    first = load_models(read_settings().journey_models)[0]
    for sentence in idle_names(model, first):
        print_whole(Text(f"No effect: {sentence}"))


@journeys.command()
@SITE
@click.option("--person", default="", help="A person_id, or a user id.")
@click.option("--visitor", default="", help="A visitor_id: the person it belongs to.")
@click.option("--model", default="", help="One model only; default: all.")
@LANG
def explain(site: str, person: str, visitor: str, model: str, lang: Language | None) -> None:
    """Explain why a person is in a phase: each move with its touchpoint and its rule."""
    from pipeline.privacy.masking import without_address
    from pipeline.reports.moves.answer import read_moves
    from pipeline.reports.moves.text import render_moves
    from pipeline.tracker.rules import rules_of

    if bool(person) == bool(visitor):
        raise click.UsageError("give either --person or --visitor")
    known = read_settings()
    person, visitor = without_address(person), without_address(visitor)
    with clickhouse(known, site) as client:
        rules = rules_of(known)
        moves = read_moves(client, person=person, visitor=visitor, model=model, site=site)
    models = [ready.model for ready in rules.models]
    print_whole(render_moves(moves, models, rules.version, labels_in(lang)))
