"""Runs a client: run.py CLIENT URL KEY EVENTS MILLISECONDS."""

import importlib.util
import sys
import time
from contextlib import suppress
from pathlib import Path

client, url, key, events, every = sys.argv[1:]
spec = importlib.util.spec_from_file_location("client", Path(__file__).parent / f"with_{client}.py")
assert spec
assert spec.loader
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
send, end = module.start(url, key)
for n in range(1, int(events) + 1):
    with suppress(Exception):  # a client may tell so that it failed
        send(f"Event {n}", {"n": n, "note": "Größe ✓"})
    time.sleep(int(every) / 1000)
with suppress(Exception):
    end()
