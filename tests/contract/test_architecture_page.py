from tests.support.architecture_page import PICTURE, drawn
from tests.support.house import FLOOR, SOURCES, arrows


def test_the_picture_of_the_house_is_what_the_code_imports() -> None:
    assert drawn(arrows(SOURCES)) == PICTURE.read_text(encoding="utf-8"), "run `make schemas`"


def test_the_picture_has_every_room_and_one_arrow_for_each_import_that_no_longer_way_has() -> None:
    graph: dict[str, set[str]] = {room: set() for room in FLOOR}
    graph |= {"cli": {"demo", "kafka"}, "demo": {"kafka"}}
    picture = drawn(graph)
    assert [picture.count(f">{room}</text>") for room in FLOOR] == [1] * len(FLOOR)
    assert picture.count('fill="none"') == 2
