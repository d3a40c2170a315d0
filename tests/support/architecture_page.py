"""docs/architecture.md: its picture of the house, drawn from the imports. Shell.

`python -m tests.support.architecture_page` draws it anew.
"""

import re

from tests.support.house import ROOT, SOURCES, arrows, picture

PAGE = ROOT / "docs/architecture.md"
_BLOCK = re.compile(r"```mermaid\n.*?\n```", re.DOTALL)


def written(page: str) -> str:
    """Give the page with the picture that the code has now."""
    drawn = f"```mermaid\n{picture(arrows(SOURCES))}\n```"
    return _BLOCK.sub(lambda _: drawn, page, count=1)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
