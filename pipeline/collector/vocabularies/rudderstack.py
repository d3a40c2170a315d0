"""RudderStack: Segment's calls, and three peculiarities of its browser SDK. PURE.

The SDK requests the configuration of its source before it sends, and its beacon has the write key
in the query. Everything else is as with Segment (https://www.rudderstack.com/docs/event-spec/).
"""

import re

from pipeline.collector.answers import Answer
from pipeline.collector.request import Request
from pipeline.collector.vocabularies.segment import batch
from pipeline.collector.vocabularies.vocabulary import (
    Routes,
    SetUp,
    Vocabulary,
    said,
)


def _key(request: Request) -> str | None:
    return request.parameters.get("writeKey")


ROUTES: Routes = {("POST", "/beacon/v1/batch"): Vocabulary(_key, batch)}


def _source(_key: str, _host: str) -> Answer:
    collection = {"errors": {"enabled": False}, "metrics": {"enabled": False}}
    source = {
        "id": "touchstream",
        "name": "touchstream",
        "enabled": True,
        "workspaceId": "touchstream",
        "config": {"statsCollection": collection},
        "destinations": [],
    }
    return said({"source": source})


SET_UP = [SetUp(re.compile("/sourceConfig()"), _source)]
