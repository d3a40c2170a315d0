from pipeline.reports.ask import Answer, Column
from pipeline.reports.compared import _beside

PATHS = (Column("path", "Array(String)"), Column("people", "UInt64"))


def test_a_row_whose_key_is_a_list_stands_beside_the_one_before() -> None:
    now = Answer(PATHS, [(["website", "shop"], 3), (["store"], 1)])
    before = Answer(PATHS, [(["website", "shop"], 2)])
    assert _beside(now, before, ("path",), "people").rows == [
        (["website", "shop"], 3, 2),
        (["store"], 1, None),
    ]
