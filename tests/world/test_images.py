"""The byte budget of the images that are kept beside the worlds."""

import pytest

from foas_emulator.world.images import ImageBudget, ImageBudgetError


def test_equal_images_are_kept_once_and_count_until_the_last_is_let_go() -> None:
    budget = ImageBudget(limit=10)
    first, second = budget.keep(b"12345678"), budget.keep(bytes(bytearray(b"12345678")))
    assert second.content is first.content
    assert budget.size == 8
    del first
    assert budget.size == 8
    del second
    assert budget.size == 0


def test_images_fit_up_to_the_limit() -> None:
    budget = ImageBudget(limit=10)
    kept = [budget.keep(b"123456"), budget.keep(b"1234")]
    with pytest.raises(ImageBudgetError, match=r"^10 bytes of images are kept and 1 more do not fit into 10: DELETE"):
        budget.keep(b"1")
    assert budget.size == 10
    kept.clear()
    assert budget.size == 0


def test_an_image_takes_the_place_of_one_that_nobody_else_has() -> None:
    budget = ImageBudget(limit=8)
    kept = budget.keep(b"12345678")
    kept = budget.keep(b"87654321", instead_of=kept)
    assert (kept.content, budget.size) == (b"87654321", 8)
    with pytest.raises(ImageBudgetError, match=r"^0 bytes of images are kept and 9 more do not fit into 8: "):
        budget.keep(b"123456789", instead_of=kept)


def test_an_image_that_others_have_leaves_no_place() -> None:
    budget = ImageBudget(limit=8)
    kept = [budget.keep(b"12345678"), budget.keep(b"12345678")]
    with pytest.raises(ImageBudgetError, match=r"^8 bytes of images are kept and 8 more do not fit into 8: "):
        budget.keep(b"87654321", instead_of=kept[0])
