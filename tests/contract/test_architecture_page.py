from tests.support.architecture_page import PAGE, written


def test_the_picture_of_the_house_is_what_the_code_imports() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == written(page), "run `make schemas`"
