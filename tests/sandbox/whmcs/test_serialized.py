"""base64(serialize()): the vectors of whmcs-wire §1.4, phpserialize as oracle, and what is refused."""

import base64
import contextlib
from typing import Any

import phpserialize
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.whmcs.arrays import encoded_array, field_values
from sandbox.whmcs.php import array_key
from sandbox.whmcs.serialized import MAX_DEPTH, NotSerialized, decode, serialize, unserialize
from tests.sandbox.whmcs.php_arrays import packed

VECTORS: list[tuple[str, dict[Any, Any]]] = [
    ("YToxOntpOjE7czo2OiJHb29nbGUiO30=", {1: "Google"}),
    ("YToxOntpOjE7aTo5OTk7fQ==", {1: 999}),
    ("YToxOntpOjEyO3M6OToiQ04tMDAwMTIzIjt9", {12: "CN-000123"}),
    ("YToxOntpOjEyO3M6MTI6IuagquW8j+S8muekviI7fQ==", {12: "株式会社"}),
    (
        "YToxOntpOjU7YToyOntzOjg6Im9wdGlvbmlkIjtpOjE3O3M6MzoicXR5IjtpOjM7fX0=",
        {5: {"optionid": 17, "qty": 3}},
    ),
    ("YTowOnt9", {}),
]

texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]))
keys = st.integers(-(10**9), 10**9) | texts.filter(lambda key: not key.lstrip("-").isdecimal())
scalars = texts | st.integers(-(2**62), 2**62) | st.booleans() | st.none()
arrays = st.dictionaries(keys, st.recursive(scalars, lambda inner: st.dictionaries(keys, inner), max_leaves=8))


@pytest.mark.parametrize(("encoded", "value"), VECTORS)
def test_the_published_vectors(encoded: str, value: dict[Any, Any]) -> None:
    assert decode(encoded) == value


@given(arrays)
def test_whatever_php_writes_is_read(value: dict[Any, Any]) -> None:
    assert decode(packed(value)) == value


@settings(max_examples=50)
@given(arrays)
def test_what_is_written_reads_as_php_would(value: dict[Any, Any]) -> None:
    assert phpserialize.loads(serialize(value), decode_strings=True) == value
    assert unserialize(serialize(value)) == value


@settings(max_examples=80)
@given(arrays, st.data())
def test_damage_is_refused_or_read_as_the_oracle_reads_it(value: dict[Any, Any], data: st.DataObject) -> None:
    raw = bytearray(serialize(value))
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    try:
        read = unserialize(bytes(raw))
    except NotSerialized:
        return
    expected = phpserialize.loads(bytes(raw), decode_strings=True)
    assert repr(read) == repr(_normal(expected))


def _normal(value: Any) -> Any:
    """With keys of plain digits as PHP keeps them; the oracle leaves them texts."""
    if not isinstance(value, dict):
        return value
    return {array_key(key) if isinstance(key, str) else key: _normal(each) for key, each in value.items()}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"),
        (1.5, "1.5"),
        (1e25, "1.0E+25"),
        (1.5e-7, "1.5E-7"),
        (-0.0, "-0"),
        (float("inf"), "INF"),
        (1e14, "1" + "0" * 14),
    ],
)
def test_a_float_becomes_the_text_that_php_makes_of_it(value: float, text: str) -> None:
    assert field_values(base64.b64encode(serialize({1: value})).decode()) == {1: text}


@pytest.mark.parametrize(
    ("digits", "value"), [("9" * 19, 2**63 - 1), ("-" + "9" * 30, -(2**63 - 1)), ("9" * 5000, None)]
)
def test_a_number_beyond_64_bits_stops_there_and_an_endless_one_is_none(digits: str, value: int | None) -> None:
    encoded = base64.b64encode(f"a:1:{{i:0;i:{digits};}}".encode()).decode()
    assert encoded_array(encoded).get(0) == value


@given(st.binary())
def test_other_bytes_end_in_a_value_or_a_refusal(raw: bytes) -> None:
    with contextlib.suppress(NotSerialized):
        unserialize(raw)


def test_a_string_key_of_digits_is_the_number_as_in_php() -> None:
    assert decode(packed({"12": "CN-000123"})) == {12: "CN-000123"}


@pytest.mark.parametrize(
    "raw",
    [
        b'O:8:"stdClass":0:{}',
        b'a:1:{i:0;O:8:"stdClass":0:{}}',
        b'C:3:"Foo":0:{}',
        b"a:2:{i:0;i:1;i:1;R:2;}",
        b"a:2:{i:0;i:1;i:1;r:2;}",
        b'a:1:{i:0;s:3:"\xe6\xa0";}',
        b'a:1:{i:0;s:5:"abc";}',
        b"a:2:{i:0;i:1;}",
        b"a:1:{i:0;i:1;}x",
        b"a:1:{d:1.5;i:1;}",
        b"a:1:{i:0;i:1.5;}",
        b"a:1:{i:0;b:2;}",
        b'a:1:{i:0;E:11:"Suit:Hearts";}',
        b"i:1;",
        b"",
        b"a:1:{i:0;" * (MAX_DEPTH + 2) + b"N;" + b"}" * (MAX_DEPTH + 2),
    ],
)
def test_objects_references_and_damage_are_refused(raw: bytes) -> None:
    with pytest.raises(NotSerialized):
        decode(base64.b64encode(raw).decode())


def test_a_plus_sign_that_arrived_as_a_blank_spoils_the_value() -> None:
    with pytest.raises(NotSerialized):
        decode("YToxOntpOjEyO3M6MTI6IuagquW8j+S8muekviI7fQ==".replace("+", " "))


def test_what_cannot_be_decoded_counts_as_not_sent() -> None:
    assert encoded_array("not base64!") == {}
    assert encoded_array({0: "YTowOnt9"}) == {}
    assert field_values(packed({1: "a", 2: {"nested": 1}, "named": "b", 3: True})) == {1: "a", 3: "1"}
