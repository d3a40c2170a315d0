"""The funnel of a real newsletter: digests sent, opened and clicked, by user.

The figures were computed outside this project, in the order of the file's lines.
"""

from datetime import UTC, datetime

from rich.progress import Progress

from pipeline.importer.send import import_files, load_mapping
from pipeline.kafka.in_memory import MemoryBroker
from pipeline.reports.funnel.answer import read_funnel
from pipeline.reports.funnel.question import LONGEST_WINDOW, Question, parse_steps
from pipeline.reports.span import Span
from schemas.topics import RAW
from tests.support.database import migrated_database, touchpoints_in, track
from tests.support.engine import EngineServer
from tests.support.puffy import MAPPINGS, data_files

STEPS = "Email Sent[properties.campaign_id=weekly_digest] > Email Opened > Email Link Clicked"


async def test_digests_are_sent_opened_and_clicked_in_this_order(engine: EngineServer) -> None:
    broker = MemoryBroker(partition_count=1)
    await import_files(
        data_files("yammer_email/*.csv.gz"),
        load_mapping(MAPPINGS / "yammer.toml"),
        broker,
        site="yammer",
        now=lambda: datetime(2026, 1, 1, tzinfo=UTC),
        progress=Progress(disable=True),
    )
    with migrated_database(engine) as client:
        track(client, touchpoints_in(broker.records(RAW.name)))
        question = Question(steps=parse_steps(STEPS), window=LONGEST_WINDOW)
        answer = read_funnel(client, Span(site="yammer"), question)
    assert [step.reach for step in answer.steps] == [4_111, 5_927, 5_277]
    assert [step.count for step in answer.steps] == [4_111, 3_922, 3_145]
