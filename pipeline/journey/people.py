"""PURE: who a visitor is, as far as its own touchpoints tell.

The first user id seen on a device names its person; before that the device stands for itself.
Facts keep the person as known at their time; the view `people` looks back with what is known now.
"""

from pipeline.journey.state import Cursor, Evidence, identifier


def recognise(cursor: Cursor, site: str, visitor_id: str, seen: Evidence) -> str:
    """Note the user id that `seen` may carry, and give the person's pseudonym."""
    if seen.user_id and not cursor.user_id:
        cursor.user_id = seen.user_id
        cursor.person_id = identifier(site, "user", seen.user_id)
    elif not cursor.person_id:
        cursor.person_id = identifier(site, "visitor", visitor_id)
    return cursor.person_id
