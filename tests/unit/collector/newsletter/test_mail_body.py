"""A mail's HTML with signed links: what is a link changes, everything else stays as it was."""

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli import main
from pipeline.collector.newsletter.mail_body import rewritten

PIXEL = '<img src="p?a=1&amp;b=2" width="1" height="1" alt="" style="display:block">'


def body(html: str) -> str:
    """Rewrite with links in brackets, and cut the pixel off."""
    text = rewritten(html, lambda url: f"[{url}]", "p?a=1&b=2")
    assert text.count(PIXEL) == 1
    return text.replace(PIXEL, "")


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<a href="https://a.example">x</a>', '<a href="[https://a.example]">x</a>'),
        ("<a href=http://a.example>x</a>", '<a href="[http://a.example]">x</a>'),
        (
            "<A class='k' HREF='https://a.example/?b=1&amp;c=2' disabled>",
            '<A class="k" href="[https://a.example/?b=1&amp;c=2]" disabled>',
        ),
        ('<a\n  href=" https://a.example "\n>', '<a href="[https://a.example]">'),
        ('<area href="HTTPS://a.example"/>', '<area href="[HTTPS://a.example]" />'),
        (
            '<![if !mso]><a href="https://a.example">x</a><![endif]>',
            '<![if !mso]><a href="[https://a.example]">x</a><![endif]>',
        ),
        (
            '<!--[if mso]><v:roundrect href="https://a.example"><![endif]-->',
            '<!--[if mso]><v:roundrect href="[https://a.example]"><![endif]-->',
        ),
    ],
)
def test_a_link_is_signed(html: str, expected: str) -> None:
    assert expected == body(html)


@pytest.mark.parametrize(
    "html",
    [
        '<a href="mailto:a@b.example">',
        '<a href="#top">',
        '<a href="{{ unsubscribe }}">',
        '<a name="https://a.example">',
        '<link rel="stylesheet" href="https://a.example/s.css">',
        '<base href="https://a.example/">',
        '<img src="https://a.example/i.png">',
        "<style>a[href='https://a.example']{}</style>",
        "https://a.example as text",
        "<!DOCTYPE html>\r\n<p CLASS=x>&nbsp;&unknown; a < b <br/ ></P>",
        "<!--[if !mso]><!--><p>x<!--<![endif]-->",
        "<![if !mso]><p>x<![endif]>",
        "<![:",
        "<![x y]]>",
        "<!x",
    ],
)
def test_everything_else_stays_to_the_byte(html: str) -> None:
    assert html == body(html)


def test_several_links_of_several_lines_are_all_signed() -> None:
    html = 'ä\r\n<a href="https://a.example">1</a>\n\n <a href="https://b.example">2</a> <b>\n'
    expected = html.replace("https://a.example", "[https://a.example]")
    assert expected.replace("https://b.example", "[https://b.example]") == body(html)


def test_the_pixel_stands_before_the_end_of_the_body() -> None:
    assert f"<body>x{PIXEL}</BODY></html>" == rewritten("<body>x</BODY></html>", str, "p?a=1&b=2")


def test_without_a_body_the_pixel_stands_at_the_end() -> None:
    assert f"<p>x{PIXEL}" == rewritten("<p>x", str, "p?a=1&b=2")


@given(st.text(alphabet="<>a/ =\"'&;!-[]\nhreftps:.", max_size=80))
def test_no_text_breaks_it_and_without_links_none_changes(html: str) -> None:
    assert html == body(html) or "http" in html.lower()


# --- the command ----------------------------------------------------------------------------------


def test_the_command_passes_on_bytes_of_any_encoding_and_every_end_of_a_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TOUCHSTREAM_SITE_SALT", "s" * 32)
    monkeypatch.setenv("TOUCHSTREAM_LINK_KEYS", f'["{"k" * 32}"]')
    mail = b"<p>Gr\xf6\xdfe \xe2\x82\xac\r\n</p>\n</body>\r\n"
    command = ["links", "rewrite", "--campaign", "c", "--subscriber", "1"]
    html = CliRunner().invoke(main, command, input=mail).stdout_bytes
    pixel = html[html.index(b"<img") : html.index(b"</body>")]
    assert mail == html.replace(pixel, b"")


def test_the_command_says_what_it_lacks() -> None:
    command = ["links", "sign", "https://shop.example", "--campaign", "c", "--subscriber", "1"]
    result = CliRunner().invoke(main, command)
    assert (2, True) == (result.exit_code, "TOUCHSTREAM_LINK_KEYS" in result.output)
