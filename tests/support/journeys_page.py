"""docs/journeys.md: which touchpoint is evidence for which phase, as the shipped models say. Shell.

`python -m tests.support.journeys_page` writes the part of the page below the mark.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.reports.moves.rule_words import conditions, ways
from pipeline.settings import Settings
from schemas.journeys import JourneyModel, load_models

PAGE = Path(__file__).parents[2] / "docs" / "journeys.md"
MARK = "<!-- What follows is written by `python -m tests.support.journeys_page`. -->\n"


def write_page(prose: str, models: Sequence[JourneyModel]) -> str:
    """Give the page: `prose` by hand, then what `models` say."""
    return "\n".join([prose + MARK, *_phases(models), *_touchpoints(models)]) + "\n"


def shipped_models() -> list[JourneyModel]:
    """Read the models that are enabled by default, which are those that are shipped."""
    return load_models(Settings.model_construct().journey_models)


def _phases(models: Sequence[JourneyModel]) -> Iterator[str]:
    yield "## The shipped models\n"
    for model in models:
        yield f"**{model.id}** {'; '.join(ways(model))}.\n"
        yield "| phase | | longest, days |\n|---|---|---|"
        for phase in model.phases:
            longest = phase.longest.days if phase.longest else 0
            yield f"| `{phase.id}` | {phase.en}, {phase.de} | {longest} |"
        yield ""


def _touchpoints(models: Sequence[JourneyModel]) -> Iterator[str]:
    yield "## Touchpoint by touchpoint\n"
    yield "Of several lines in a cell the first that holds decides.\n"
    yield f"| touchpoint | {' | '.join(model.id for model in models)} |"
    yield f"|{'---|' * (1 + len(models))}"
    names = {name for model in models for rule in model.rules for name in rule.touchpoints}
    for name in sorted(names):
        yield f"| {name} | {' | '.join(_cell(model, name) for model in models)} |"


def _cell(model: JourneyModel, name: str) -> str:
    rules = [rule for rule in model.rules if name in rule.touchpoints]
    said = [", ".join(filter(None, (f"*{r.phase}*", conditions(r)))) for r in rules]
    return "<br>".join(said)


if __name__ == "__main__":
    by_hand = PAGE.read_text(encoding="utf-8").partition(MARK)[0]
    PAGE.write_text(write_page(by_hand, shipped_models()), encoding="utf-8")
