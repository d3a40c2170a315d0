"""The documentation as a site: `make docs` builds it with Sphinx, MyST and Furo into build/site.

The pages are those of the repository, so that their links work in both places. What a page links to
and is no page (a source file) is copied into the site. Nothing is loaded from another host.
"""

import tomllib
from pathlib import Path

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx

ROOT = Path(__file__).parents[2]

project = "Touchstream"
release = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
html_title = f"Touchstream {release}"
language = "en"

extensions = ["myst_parser"]
root_doc = "docs/index"
include_patterns = ["*.md", "docs/*.md"]
exclude_patterns = [path.name for path in ROOT.iterdir() if path.is_dir() and path.name != "docs"]

myst_heading_anchors = 4
# SQL for a panel has Grafana's variables in it, which are no SQL.
suppress_warnings = ["misc.highlighting_failure"]

html_theme = "furo"
html_theme_options: dict[str, object] = {"top_of_page_buttons": []}
html_additional_pages = {"index": "to_first_page.html"}
templates_path = ["."]
html_copy_source = False
html_show_sphinx = False


def without_links_to_folders(app: Sphinx, page: nodes.document) -> None:
    """Keep the text of a link to a folder of ours, without the link: a site has no page of it."""
    folder = (ROOT / app.env.docname).parent
    for link in list(page.findall(pending_xref)):
        if "/" in link["reftarget"] and (folder / link["reftarget"]).is_dir():
            link.replace_self(link.children)


def setup(app: Sphinx) -> None:
    """Hook into the reading of pages."""
    app.connect("doctree-read", without_links_to_folders)
