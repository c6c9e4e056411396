"""From JSON to what a field keeps."""

from typing import Any

import pytest

from sandbox.salesforce import values
from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.schema import Field


def field(kind: str, **more: Any) -> Field:
    return Field.model_validate({"name": "A_Field__c", "type": kind, **more})


CODES = field("string", length=5)
LONG = field("textarea", length=32768)
COLOUR = field("picklist", values=["Red", "Green"], restricted=True)
COLOURS = field("multipicklist", values=["Red", "Green", "Blue"], restricted=True)
OPEN = field("picklist", values=["Red"])
PRICE = field("currency", precision=6, scale=2)
COUNT = field("int")
DAY, MOMENT, FLAG = field("date"), field("datetime"), field("boolean")
EMAIL, PARENT, DATA = field("email"), field("reference", references=["Account"]), field("base64")

KEPT: list[tuple[Field, Any, Any]] = [
    (CODES, "abc", "abc"), (CODES, "  abc\n", "abc"), (CODES, "", None), (CODES, "   ", None), (CODES, None, None),
    (CODES, "日本語です", "日本語です"), (CODES, "ab😀c", "ab😀c"),
    (LONG, "  two\n  lines ", "  two\n  lines "), (LONG, " \n", None),
    (COLOUR, "Red", "Red"), (COLOUR, "", None), (OPEN, "Mauve", "Mauve"),
    (COLOURS, "Blue;Red", "Red;Blue"), (COLOURS, "Blue; Blue ;", "Blue"),
    (PRICE, 1, 1.0), (PRICE, "12.5", 12.5), (PRICE, 0.125, 0.13), (PRICE, -9999.99, -9999.99), (PRICE, "1e3", 1000.0),
    (COUNT, 7, 7), (COUNT, "7", 7), (COUNT, 6.5, 7), (COUNT, -(2**31), -(2**31)),
    (DAY, "2026-11-21", "2026-11-21"), (DAY, "2026-11-21T23:30:00Z", "2026-11-21"),
    (MOMENT, "2026-11-21T09:00:00+09:00", "2026-11-21T00:00:00.000+0000"),
    (MOMENT, "2026-11-21T09:00:00.1Z", "2026-11-21T09:00:00.100+0000"),
    (MOMENT, "2026-11-21", "2026-11-21T00:00:00.000+0000"),
    (FLAG, True, True), (FLAG, "TRUE", True), (FLAG, None, False),
    (EMAIL, " maria@example.jp ", "maria@example.jp"),
    (PARENT, "0015j0000000001", "0015j0000000001AAA"), (PARENT, "", None),
    (DATA, "aGVsbG8=", "aGVsbG8="), (DATA, "", None),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "given", "kept"), KEPT)
def test_what_is_kept(kind: Field, given: Any, kept: Any) -> None:
    accepted = values.accept(kind, given)
    assert (accepted, type(accepted)) == (kept, type(kept))


PARSER, RANGE = "JSON_PARSER_ERROR", "NUMBER_OUTSIDE_VALID_RANGE"
REFUSED: list[tuple[Field, Any, str, str]] = [
    (CODES, "abcdef", "STRING_TOO_LONG", "A Field: data value too large: abcdef (max length=5)"),
    (CODES, "abc😀d", "STRING_TOO_LONG", "max length=5"),
    (CODES, 5, PARSER, "Cannot deserialize instance of string from VALUE_NUMBER_INT value 5"),
    (CODES, ["a"], PARSER, "from START_ARRAY"),
    (COLOUR, "red", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "bad value for restricted picklist field: red"),
    (COLOURS, "Red;Pink", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "field: Pink"),
    (PRICE, 10_000, RANGE, "A Field: value outside of valid range on numeric field: 10000"),
    (PRICE, 9999.999, RANGE, "outside of valid range"),
    (PRICE, 1e300, RANGE, "outside of valid range"),
    (PRICE, float("inf"), RANGE, "outside of valid range"),
    (PRICE, "1e9999", RANGE, "outside of valid range"),
    (PRICE, "NaN", PARSER, "Cannot deserialize instance of double from VALUE_STRING value NaN"),
    (PRICE, "Infinity", PARSER, "instance of double"),
    (PRICE, "1_000", PARSER, "instance of double"),
    (PRICE, "١", PARSER, "instance of double"),
    (PRICE, True, PARSER, "from VALUE_TRUE"),
    (COUNT, 2**31, RANGE, "outside of valid range"),
    (COUNT, "x", PARSER, "Cannot deserialize instance of int from VALUE_STRING value x"),
    (DAY, "2026-02-30", PARSER, "Cannot deserialize instance of date from VALUE_STRING value 2026-02-30"),
    (DAY, "2026-W47-6", PARSER, "instance of date"),
    (DAY, "20261121", PARSER, "instance of date"),
    (DAY, "0001-01-01", PARSER, "instance of date"),
    (DAY, 20261121, PARSER, "instance of date"),
    (MOMENT, "2026-11-21T25:00:00Z", PARSER, "instance of datetime"),
    (MOMENT, "2026-11-21 09:00:00", PARSER, "instance of datetime"),
    (MOMENT, "0999-11-21T09:00:00Z", PARSER, "instance of datetime"),
    (MOMENT, "2026-11-21T09:00:00+99:99", PARSER, "instance of datetime"),
    (FLAG, "yes", PARSER, "Cannot deserialize instance of boolean"),
    (FLAG, 1, PARSER, "instance of boolean"),
    (EMAIL, "maria@", "INVALID_EMAIL_ADDRESS", "A Field: invalid email address: maria@"),
    (PARENT, "0015j0000000001AAB", "MALFORMED_ID", "id value of incorrect type: 0015j0000000001AAB"),
    (PARENT, 7, PARSER, "instance of string"),
    (DATA, "a", PARSER, "instance of string"),
    (DATA, 7, PARSER, "instance of string"),
]


@pytest.mark.parametrize(("kind", "given", "code", "words"), REFUSED)
def test_what_is_refused(kind: Field, given: Any, code: str, words: str) -> None:
    with pytest.raises(ApiError) as refused:
        values.accept(kind, given)
    assert refused.value.code == code
    assert words in refused.value.message


def test_a_refusal_does_not_repeat_all_of_a_long_value() -> None:
    for kind in (CODES, COLOUR, PRICE, DATA, PARENT):
        with pytest.raises(ApiError) as refused:
            values.accept(kind, "!" * 100_000)
        assert len(refused.value.message) < 2_000
