"""How much hardware a load needs."""

from datetime import timedelta

import click

from pipeline.cli.shared import read_settings


@click.command()
@click.option(
    "--touchpoints", type=click.IntRange(min=1), required=True, help="Touchpoints on a usual day."
)
@click.option(
    "--visitors", type=click.IntRange(min=1), required=True, help="Visitors on a usual day."
)
@click.option(
    "--peak",
    type=click.FloatRange(min=1),
    default=5.0,
    show_default=True,
    help="The busiest second, in times of the mean of a day.",
)
def capacity(touchpoints: int, visitors: int, peak: float) -> None:
    """Say how many processes, how much memory and how much disk a load needs.

    Replicas, and how long things are kept, are taken from the settings. Kafka and ClickHouse are on
    machines of their own. docs/capacity.md says how far to trust it.
    """
    from pipeline.operations.capacity import Kept, Load, needs
    from schemas.topics import RAW

    known = read_settings()
    kept = Kept(
        replicas=known.kafka_replication,
        topics=known.topic_retention.get("touchpoints.raw")
        or timedelta(milliseconds=RAW.retention_ms),
        evidence=known.evidence_retention,
        visitor=known.journey_timeout + known.allowed_lateness,
        tables=known.table_retention.get("touchpoints"),
    )
    load = Load(touchpoints, visitors, peak)
    found = needs(load, kept)
    for_how_long = f"{kept.tables.days} days" if kept.tables else "a year"
    core = "with a core each"
    lines = (
        ("busiest second", f"touchpoints: {max(1, load.a_second):,.0f}"),
        ("collect", f"{found.collectors:,} {core}"),
        ("track", f"{found.trackers:,} with a core and {_bytes(found.tracker_bytes)} each"),
        ("sink", f"{found.sinks:,} {core}"),
        ("partitions", f"{found.partitions:,} or more"),
        (
            "Kafka",
            f"{_bytes(found.kafka_bytes)} for {kept.topics.days} days, copies: {kept.replicas}",
        ),
        ("ClickHouse", f"{_bytes(found.clickhouse_bytes)} for {for_how_long}, each copy"),
    )
    for what, much in lines:
        click.echo(f"{what:<15} {much}")


def _bytes(count: float) -> str:
    for unit, size in (("TB", 1e12), ("GB", 1e9)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count / 1e6:,.0f} MB"
