"""Salesforce ids (salesforce-wire.md §3.4)."""

import pytest

from integrations.salesforce.ids import sf_id


@pytest.mark.parametrize(
    ("short", "whole"),
    [
        ("00558000000yFyD", "00558000000yFyDAAU"),
        ("0014H00002LbR7Q", "0014H00002LbR7QQAV"),
        ("00D58000000arpq", "00D58000000arpqEAA"),
    ],
)
def test_both_forms_become_the_long_one(short: str, whole: str) -> None:
    assert sf_id(short) == sf_id(whole) == whole


@pytest.mark.parametrize(
    "text",
    [
        "",
        "801",
        "00558000000yFyDAAA",  # of another id
        "00558000000YFyDAAU",  # case lost
        "00558000000yFyDAAUX",
        "00558000000yFy'",
        "../sobjects/Usr",
        "00558000000yFyD\n",
        "０0558000000yFyD",
    ],
)
def test_everything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Salesforce id"):
        sf_id(text)


def test_the_type_is_held_to_its_prefix() -> None:
    assert sf_id("0014H00002LbR7Q", "001") == "0014H00002LbR7QQAV"
    with pytest.raises(ValueError, match="beginning with 801"):
        sf_id("0014H00002LbR7Q", "801")
