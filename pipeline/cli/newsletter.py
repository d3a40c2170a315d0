"""Signed links of a newsletter."""

from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING

import click

from pipeline.cli.shared import options, read_settings, site_name
from pipeline.settings import BadSettings

if TYPE_CHECKING:
    from pipeline.collector.newsletter.mailing import Mailing


@click.group()
def links() -> None:
    """Sign the links of a newsletter, to count opens and clicks (docs/newsletter.md)."""


_of_mailing = options(
    click.option(
        "--site",
        default="shop",
        show_default=True,
        callback=site_name,
        help="The site that sends it.",
    ),
    click.option("--campaign", required=True, help="The mailing, e.g. spring-2026."),
    click.option(
        "--subscriber", required=True, help="Your number for the subscriber, never an address."
    ),
)


@links.command("sign")
@click.argument("url")
@_of_mailing
def sign_link(url: str, site: str, campaign: str, subscriber: str) -> None:
    """Print a link that counts the click and redirects to URL."""
    click.echo(_mailing(site, campaign, subscriber).click(url))


@links.command("rewrite")
@click.argument("body", type=click.File("rb"), default="-")
@_of_mailing
def rewrite_links(body: IO[bytes], site: str, campaign: str, subscriber: str) -> None:
    """Sign every link in a mail's HTML and append the pixel; print the HTML.

    The headers for one-click unsubscription (RFC 8058) go to standard error.
    """
    from pipeline.collector.newsletter.mail_body import rewritten

    mailing = _mailing(site, campaign, subscriber)
    # Bytes that are not UTF-8, and line endings, are passed on unchanged.
    text = body.read().decode("utf-8", "surrogateescape")
    html = rewritten(text, mailing.click, mailing.pixel())
    click.echo(html.encode("utf-8", "surrogateescape"), nl=False)
    for name, value in mailing.headers():
        click.echo(f"{name}: {value}", err=True)


def _mailing(site: str, campaign: str, subscriber: str) -> "Mailing":
    from pipeline.collector.newsletter.mailing import Mailing

    known = read_settings()
    if not known.link_keys:
        raise BadSettings("no key to sign with: set TOUCHSTREAM_LINK_KEYS (see docs/newsletter.md)")
    return Mailing(
        url=known.public_url,
        keys=[key.get_secret_value() for key in known.link_keys],
        site=site,
        campaign_id=campaign,
        subscriber_id=subscriber,
        expires=datetime.now(UTC) + known.link_lifetime,
    )
