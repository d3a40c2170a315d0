"""deploy/prometheus/consoles/runbook.html: docs/runbook.md as Prometheus serves it. Shell.

python -m tests.support.runbook_page      writes it

So the link in an alert leads somewhere wherever Prometheus can be reached, without the internet.
"""

import re
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "docs/runbook.md"
PAGE = ROOT / "deploy/prometheus/consoles/runbook.html"

_AROUND = """\
<!doctype html>
<!-- Written by `python -m tests.support.runbook_page` from docs/runbook.md. -->
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Touchstream: runbook</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem;
  color-scheme: light dark; }}
code {{ font-size: .9em; }}
:target {{ background: color-mix(in srgb, gold 30%, transparent); }}
</style>
{body}</html>
"""


def page() -> str:
    """Give the text of the page."""
    html = MarkdownIt().enable("table").render(SOURCE.read_text(encoding="utf-8"))
    html = re.sub(r"<h2>(.+?)</h2>", lambda m: f'<h2 id="{m[1].lower()}">{m[1]}</h2>', html)
    html = re.sub(r'<a href="(?!http|#)[^"]*">(.+?)</a>', r"<em>\1</em> (docs)", html)
    return _AROUND.format(body=html.replace("{{", '{{"{{"}}'))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
