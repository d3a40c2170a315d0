"""A mail's HTML with every link signed and a pixel at its end. PURE.

Python's own HTML parser finds the tags; all other bytes stay as they are, because mail programs
depend on oddities that a parser would put right. Comments are read too, because Outlook's buttons
are in conditional ones. Use it for your own mails only: hostile markup (thousands of tags that
never end) takes the parser quadratic time.
"""

from collections.abc import Callable
from html import escape
from html.parser import HTMLParser

_NOT_FOLLOWED = frozenset({"base", "link"})
"""Elements whose `href` is not a link to click."""


def rewritten(html: str, click: Callable[[str], str], pixel: str) -> str:
    """Replace each http(s) link with the result of `click`, and append the image `pixel`.

    Raises whatever `click` raises.
    """
    body = _Rewriter(click).run(html)
    image = f'<img src="{escape(pixel)}" width="1" height="1" alt="" style="display:block">'
    end = body.lower().rfind("</body>")
    return body + image if end < 0 else body[:end] + image + body[end:]


class _Rewriter(HTMLParser):
    def __init__(self, click: Callable[[str], str]) -> None:
        super().__init__(convert_charrefs=False)
        self._click = click
        self._html = ""
        self._lines: list[int] = []
        self._changes: list[tuple[int, str, str]] = []

    def run(self, html: str) -> str:
        self._html = html
        self._lines = [0, *(at + 1 for at, letter in enumerate(html) if letter == "\n")]
        self.feed(html)
        self.close()
        done, parts = 0, []
        for start, old, new in self._changes:
            parts += [html[done:start], new]
            done = start + len(old)
        return "".join([*parts, html[done:]])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _NOT_FOLLOWED or not any(_is_link(*attribute) for attribute in attrs):
            return
        written = self.get_starttag_text() or ""
        told = " ".join(self._attribute(name, value) for name, value in attrs)
        name = written[1 : 1 + len(tag)]  # as the mail writes it
        end = " />" if written.endswith("/>") else ">"
        self._change(written, f"<{name} {told}{end}")

    handle_startendtag = handle_starttag

    def handle_comment(self, data: str) -> None:
        self._change(f"<!--{data}-->", f"<!--{_Rewriter(self._click).run(data)}-->")

    def parse_html_declaration(self, i: int) -> int:
        """Pass over `<![if !mso]>` and whatever else begins so: the parser fails on some of it."""
        if self.rawdata.startswith("<![", i):
            return self.parse_bogus_comment(i)
        return super().parse_html_declaration(i)

    def _attribute(self, name: str, value: str | None) -> str:
        if value is None:
            return name
        told = self._click(value.strip()) if _is_link(name, value) else value
        return f'{name}="{escape(told)}"'

    def _change(self, old: str, new: str) -> None:
        line, column = self.getpos()
        start = self._lines[line - 1] + column
        if old != new and self._html.startswith(old, start):
            self._changes.append((start, old, new))


def _is_link(name: str, value: str | None) -> bool:
    return name == "href" and (value or "").strip().lower().startswith(("http://", "https://"))
