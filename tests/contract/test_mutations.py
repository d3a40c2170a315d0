"""Each protection that `make faults-mutations` switches off is still where it is looked for."""

import pytest

from tests.faults.mutations import MUTATIONS, ROOT, replaced


@pytest.mark.parametrize("name", MUTATIONS)
def test_the_protection_is_there_once_and_so_are_its_tests(name: str) -> None:
    mutation = MUTATIONS[name]
    text = (ROOT / mutation.file).read_text(encoding="utf-8")
    compile(replaced(text, mutation), mutation.file, "exec")
    for test in mutation.tests.split(" -k ")[0].split():
        assert (ROOT / test).exists(), test
