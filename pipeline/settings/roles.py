"""Settings of tracker, drain and sink, and of what `up` keeps."""

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

from pipeline.settings.kinds import Duration, Wait


class RoleSettings(BaseModel):
    """How the other roles run."""

    metrics_host: str = Field(
        "127.0.0.1", description="Address on which tracker, sink and watch serve their metrics."
    )
    log_format: Literal["text", "json"] = Field(
        "text",
        description="How processes log: text, or json, an object on each line; docs/operations.md "
        "lists its events.",
    )
    tracing: bool = Field(
        False,
        description="Collector, tracker and sink send traces by OpenTelemetry, as the variables "
        "OTEL_* say; docs/tracing.md.",
    )
    stall_after: Duration = Field(
        timedelta(minutes=2),
        description="Tracker, drain, sink and webhook exit, to be restarted, if there is "
        "something to read and they have made no progress for this long.",
    )
    dead_letters_run: int = Field(
        1000,
        ge=0,
        description="Tracker and sink stop after this many refused records in a row; 0: never.",
    )
    dead_letters_share: float = Field(
        0.5,
        ge=0,
        le=1,
        description="Tracker and sink stop if more than this share of the last 10,000 records "
        "was refused; 0: never.",
    )
    tracker_group: str = Field("touchstream-tracker", description="Kafka consumer group.")
    tracker_tick: Duration = Field(
        timedelta(seconds=2), description="How often the tracker writes the time into the log."
    )
    tracker_metrics_port: int = Field(9101, ge=0, le=65535, description="0: no metrics.")
    drain_group: str = Field("touchstream-drain", description="Kafka consumer group.")
    drain_rate: int = Field(
        500,
        gt=0,
        description="Touchpoints per second that are brought back from each partition of the "
        "overflow topic.",
    )
    drain_metrics_port: int = Field(9105, ge=0, le=65535, description="0: no metrics.")
    sink_group: str = Field("touchstream-sink", description="Kafka consumer group.")
    sink_batch_rows: int = Field(20_000, ge=1, description="Most rows in one insert.")
    sink_batch_wait: Wait = Field(
        timedelta(seconds=1),
        description="How long rows wait for a fuller insert; after a silence a tenth of it.",
    )
    sink_metrics_port: int = Field(9102, ge=0, le=65535, description="0: no metrics.")
    embedded_path: Path = Field(
        Path(".touchstream"),
        description="Folder in which `touchstream up` keeps tables, logs and Kafka's data.",
    )
