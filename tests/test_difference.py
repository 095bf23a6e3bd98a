from foas_emulator.difference import Difference, compare


def test_differences_come_in_the_expected_order_and_then_what_is_too_much() -> None:
    differences = compare({"b": "1", "same": "s", "a": "2"}, {"c": "5", "a": "3", "same": "s"})
    assert differences == [Difference("b", "1", None), Difference("a", "2", "3"), Difference("c", None, "5")]


def test_equal_mappings_do_not_differ() -> None:
    assert compare({"a": "1"}, {"a": "1"}) == []
