"""Who is one person in the puffy exports: computed with pandas from the files, independently."""

from collections.abc import Iterable
from pathlib import Path

import msgspec
import pandas as pd


def people_of(files: Iterable[Path]) -> set[frozenset[str]]:
    """Join visitors who left the same hashed e-mail address; everybody with one is a person."""
    days = [
        pd.read_csv(path, dtype=str).rename(columns={"clientId": "client_id"}) for path in files
    ]
    events = pd.concat(days).dropna(subset=["client_id", "event_data"])
    address = events["event_data"].map(_address)
    left = pd.DataFrame({"visitor": events["client_id"], "address": address})
    left = left[left["address"] != ""].drop_duplicates()
    left["person"] = left["visitor"]
    while True:  # the least name spreads to all who hang together
        spread = left.groupby("address")["person"].transform("min")
        spread = spread.groupby(left["visitor"]).transform("min")
        if spread.equals(left["person"]):
            return {frozenset(group) for _, group in left.groupby("person")["visitor"]}
        left["person"] = spread


def _address(event_data: str) -> str:
    found: object = msgspec.json.decode(event_data)
    return str(found.get("user_email") or "") if isinstance(found, dict) else ""
