"""Every target takes its examples, and the inputs that the fuzzer once found."""

from pathlib import Path

import pytest

from pipeline import collector
from pipeline.collector.mail_providers.receive import PROVIDERS
from tests.fuzz.targets import FOUND, TARGETS, found

INPUTS = [(name, path) for name in TARGETS for path in found(name)]


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_takes_its_examples(name: str) -> None:
    target = TARGETS[name]
    examples = list(target.examples())
    assert examples
    for example in examples:
        target.run(example)


@pytest.mark.timeout(20)
@pytest.mark.parametrize(("name", "path"), INPUTS, ids=lambda each: getattr(each, "stem", each))
def test_what_was_found_once_does_no_harm(name: str, path: Path) -> None:
    TARGETS[name].run(path.read_bytes())


def test_every_vocabulary_and_every_provider_is_a_target() -> None:
    modules = Path(collector.__file__).parent.glob("vocabularies/[!_]*.py")
    helpers = {
        "helpers",
        "openpanel",
        "routes",
        "shared_paths",
        "vocabulary",
    }  # its route is in `shared`
    assert {path.stem for path in modules} - helpers | set(PROVIDERS) <= TARGETS.keys()


def test_every_input_that_was_found_belongs_to_a_target() -> None:
    assert {path.name for path in FOUND.glob("*")} <= TARGETS.keys()
