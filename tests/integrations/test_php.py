"""Arrays as WHMCS wants them, against phpserialize as the oracle (whmcs-wire.md §1.4)."""

import base64
from typing import Any

import phpserialize
import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.whmcs.php import encoded, serialize

TEXTS = st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
NUMBERS = st.integers(min_value=-(2**63), max_value=2**63 - 1)
ARRAYS = st.dictionaries(NUMBERS, st.one_of(NUMBERS, TEXTS, st.dictionaries(NUMBERS, TEXTS)))


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        ({1: "Google"}, "YToxOntpOjE7czo2OiJHb29nbGUiO30="),
        ({1: 999}, "YToxOntpOjE7aTo5OTk7fQ=="),
        ({12: "CN-000123"}, "YToxOntpOjEyO3M6OToiQ04tMDAwMTIzIjt9"),
        ({12: "株式会社"}, "YToxOntpOjEyO3M6MTI6IuagquW8j+S8muekviI7fQ=="),
        (
            {5: {"optionid": 17, "qty": 3}},
            "YToxOntpOjU7YToyOntzOjg6Im9wdGlvbmlkIjtpOjE3O3M6MzoicXR5IjtpOjM7fX0=",
        ),
        ({}, "YTowOnt9"),
    ],
)
def test_the_documented_bytes(array: dict[int, Any], expected: str) -> None:
    assert encoded(array) == expected


@given(ARRAYS)
def test_it_reads_back_as_it_was(array: dict[int, Any]) -> None:
    read = phpserialize.loads(base64.b64decode(encoded(array)), decode_strings=True)
    assert read == array


@given(ARRAYS)
def test_the_bytes_are_those_of_the_oracle(array: dict[int, Any]) -> None:
    assert serialize(array) == phpserialize.dumps(array)


@pytest.mark.parametrize("text", ['";O:8:"stdClass":0:{}', 'a:1:{i:0;s:1:"x";}', "O:1:x", "N;", "日本 👩‍👩‍👧"])
def test_a_text_stays_a_text(text: str) -> None:
    assert phpserialize.loads(serialize({1: text}), decode_strings=True) == {1: text}


def test_a_key_of_digits_is_an_integer_as_in_php() -> None:
    assert serialize({"12": 1, "012": 2, "-1": 3}) == b'a:3:{i:12;i:1;s:3:"012";i:2;s:2:"-1";i:3;}'


@pytest.mark.parametrize(("value", "error"), [({1: "a\0b"}, ValueError), ({1: True}, TypeError), ({1: 1.5}, TypeError)])
def test_what_it_refuses(value: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        encoded(value)
