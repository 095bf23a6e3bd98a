"""Pages and documents that are made from the code say what the code says."""

import pytest
from scripts.generate import PAGES, ROOT


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_file_is_what_the_code_makes_of_it(name: str) -> None:
    assert (ROOT / name).read_text("utf-8") == PAGES[name](), f"{name} is out of date: run `make docs`"
