"""What queries mean, said once more as plainly as possible, and a generator of queries to say it about.

A condition is a tuple: ("and" | "or", [conditions]), ("not", condition), (operator, field, constant),
("in" | "not in", field, [constants]) or ("like", field, [parts]), where a part is "%", "_" or ("is", character).
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import cmp_to_key
from typing import Any

from hypothesis import strategies as st

Row = Mapping[str, Any]
Condition = tuple[Any, ...]

KINDS = {
    "Name": "text",
    "Type": "picklist",
    "Amount": "number",
    "CloseDate": "date",
    "ScheduledCancellationDateAndTime__c": "moment",
    "SystemModstamp": "moment",
    "Portal_Ref__c": "text",
    "IsWon": "boolean",
    "AccountId": "id",
    "Account.ParentId": "id",
    "Account.Name": "text",
    "Account.Phone": "text",
    "Account.Parent.Name": "text",
    "Account.Parent.Phone": "text",
    "Account.Parent.IsDeleted": "boolean",
}
# An index leads to these.
INDEXED = ["AccountId", "Account.Name", "Account.Parent.Name", "Account.ParentId", "Portal_Ref__c", "SystemModstamp"]
GROUPABLE = ["Name", "Type", "CloseDate", "IsWon", "AccountId", "Account.Name"]
CHARACTERS = "aAbB%_'\\ あア"

texts = st.text(CHARACTERS, min_size=1, max_size=4).map(str.strip).filter(bool)
days = st.dates(date(2026, 9, 1), date(2027, 2, 28))
moments = st.datetimes(datetime(2026, 9, 1), datetime(2027, 2, 28)).map(lambda at: at.replace(microsecond=0))


def written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def constants(kind: str, there: list[Any], picks: list[str]) -> st.SearchStrategy[Any]:
    """Constants a field of the kind can be compared with, those that are there among them."""
    some = {
        "text": texts,
        "picklist": st.sampled_from(picks) | texts,
        "number": st.sampled_from([-1.5, 0.0, 0.1, 2.0, 10.0]),
        "date": days.map(date.isoformat),
        "moment": moments.map(written),
        "boolean": st.booleans(),
        "id": st.nothing(),
    }[kind]
    if not there:
        return some
    found = st.sampled_from(there)
    return found | found.map(str.swapcase) | some if kind == "text" else found | some


@st.composite
def conditions(draw: st.DrawFn, there: Mapping[str, list[Any]], picks: list[str], depth: int = 3) -> Condition:
    """A condition on the fields above, which have the values `there`."""
    shape = draw(st.sampled_from(["one", "one", "and", "or", "not"] if depth else ["one"]))
    if shape in ("and", "or"):
        return (shape, draw(st.lists(conditions(there, picks, depth - 1), min_size=2, max_size=3)))
    if shape == "not":
        return ("not", draw(conditions(there, picks, depth - 1)))
    field = draw(st.sampled_from([*KINDS, *INDEXED]))
    kind = KINDS[field]
    values = constants(kind, there[field], picks)
    signs = ["=", "!=", "in", "not in"]
    signs += [] if kind in ("boolean", "id") else ["<", "<=", ">", ">="]
    signs += ["like", "like"] if kind in ("text", "picklist") else []
    signs += ["relative"] if kind in ("date", "moment") else []
    sign = draw(st.sampled_from(signs))
    if sign in ("in", "not in"):
        return (sign, field, draw(st.lists(values | st.none(), min_size=1, max_size=3)))
    if sign == "like":
        part = st.sampled_from(["%", "_", *(("is", character) for character in CHARACTERS)])
        return (sign, field, draw(st.lists(part, max_size=5)))
    if sign == "relative":
        return (draw(st.sampled_from(["=", "!=", "<", ">="])), field, ("word", draw(st.sampled_from(sorted(WORDS)))))
    return (sign, field, draw(values | st.none()))


orders = st.lists(
    st.tuples(st.sampled_from(sorted(KINDS)), st.booleans(), st.booleans()), max_size=3, unique_by=lambda key: key[0]
)


def quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def literal(value: Any, kind: str) -> str:
    if value is None:
        return "null"
    if isinstance(value, tuple):
        return str(value[1])
    if isinstance(value, bool):
        return str(value).lower()
    if kind == "moment":
        return str(value).replace(".000+0000", "Z")
    return quoted(value) if kind in ("text", "picklist", "id") else str(value)


def soql(condition: Condition) -> str:
    """The condition as SOQL."""
    sign, *rest = condition
    if sign in ("and", "or"):
        return "(" + f" {sign} ".join(soql(each) for each in rest[0]) + ")"
    if sign == "not":
        return f"(NOT {soql(rest[0])})"
    field, constant = rest
    kind = KINDS[field]
    if sign in ("in", "not in"):
        return f"{field} {sign} ({', '.join(literal(each, kind) for each in constant)})"
    if sign == "like":
        pattern = "".join(each if isinstance(each, str) else escaped(each[1]) for each in constant)
        return f"{field} LIKE '{pattern}'"
    return f"{field} {sign} {literal(constant, kind)}"


def escaped(character: str) -> str:
    return "\\" + character if character in "%_'\\" else character


class Oracle:
    """Evaluates over rows; `parent` gives the record of a type by id, `picks` the picklist's values in order."""

    def __init__(self, parent: Callable[[str, str], Row | None], picks: list[str], now: datetime) -> None:
        self._parent = parent
        self._picks = picks
        self._today = (now + timedelta(hours=9)).date()

    def value(self, row: Row, field: str) -> Any:
        """A field, null when there is no such parent; a truth value that is null is false."""
        at: Row | None = row
        *parents, last = field.split(".")
        for name in parents:
            at = self._parent("Account", at[f"{name}Id"]) if at is not None and at[f"{name}Id"] else None
        found = None if at is None else at[last]
        return bool(found) if KINDS[field] == "boolean" else found

    def holds(self, row: Row, condition: Condition) -> bool:
        """Whether a row satisfies a condition."""
        sign, *rest = condition
        if sign == "and":
            return all(self.holds(row, each) for each in rest[0])
        if sign == "or":
            return any(self.holds(row, each) for each in rest[0])
        if sign == "not":
            return not self.holds(row, rest[0])
        field, constant = rest
        value = self.value(row, field)
        if sign == "like":
            return bool(value is not None and alike(value, constant))
        if sign in ("in", "not in"):
            wanted = [bool(each) if KINDS[field] == "boolean" else each for each in constant]
            return any(same(value, each) for each in wanted) is bool(sign == "in")
        if isinstance(constant, tuple):
            return self._relative(value, sign, WORDS[constant[1]])
        if sign in ("=", "!="):
            constant = bool(constant) if KINDS[field] == "boolean" else constant
            return same(value, constant) is bool(sign == "=")
        return bool(value is not None and constant is not None and ordered(value, sign, constant))

    def _relative(self, value: str | None, sign: str, within: Callable[[date, date], int]) -> bool:
        if value is None:
            return sign == "!="
        day = date.fromisoformat(value[:10])
        if len(value) > 10:
            day = (datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%f%z").astimezone(UTC) + timedelta(hours=9)).date()
        where = within(day, self._today)
        return {"=": where == 0, "!=": where != 0, "<": where < 0, ">=": where >= 0}[sign]

    def sorted(self, rows: list[Row], order: list[tuple[str, bool, bool]]) -> list[Row]:
        """The rows by several keys (field, descending, nulls first); equal ones stay as they stood."""

        def compare(left: Row, right: Row) -> int:
            for field, descending, nulls_first in order:
                a, b = self.value(left, field), self.value(right, field)
                if a is None or b is None:
                    if (a is None) != (b is None):
                        return -1 if (a is None) == nulls_first else 1
                    continue
                a, b = self._rank(field, a), self._rank(field, b)
                if a != b:
                    return (1 if a > b else -1) * (-1 if descending else 1)
            return 0

        return sorted(rows, key=cmp_to_key(compare))

    def _rank(self, field: str, value: Any) -> Any:
        if KINDS[field] == "picklist":
            return (self._picks.index(value) if value in self._picks else len(self._picks), value.casefold())
        return value.casefold() if KINDS[field] == "text" else value


def same(left: Any, right: Any) -> bool:
    """Equality without regard to case; null equals null."""
    return bool(
        left.casefold() == right.casefold() if isinstance(left, str) and isinstance(right, str) else left == right
    )


def ordered(left: Any, sign: str, right: Any) -> bool:
    if isinstance(left, str):
        left, right = left.casefold(), right.casefold()
    return bool({"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[sign])


def alike(text: str, pattern: list[Any]) -> bool:
    """LIKE, by trying everything."""
    if not pattern:
        return text == ""
    first, *rest = pattern
    if first == "%":
        return any(alike(text[at:], rest) for at in range(len(text) + 1))
    return bool(text) and (first == "_" or first[1].lower() == text[0].lower()) and alike(text[1:], rest)


def _months(day: date) -> int:
    return day.year * 12 + day.month


def _weeks(day: date) -> int:
    return (day.toordinal()) // 7


def _side(number: int, first: int, last: int) -> int:
    """-1 before the first, 1 after the last, 0 between."""
    return -1 if number < first else int(number > last)


# A word, and where a day lies seen from it: before, within or after.
WORDS: dict[str, Callable[[date, date], int]] = {
    "TODAY": lambda day, today: _side((day - today).days, 0, 0),
    "YESTERDAY": lambda day, today: _side((day - today).days, -1, -1),
    "LAST_N_DAYS:20": lambda day, today: _side((day - today).days, -20, 0),
    "NEXT_N_DAYS:20": lambda day, today: _side((day - today).days, 1, 20),
    "N_DAYS_AGO:3": lambda day, today: _side((day - today).days, -3, -3),
    "THIS_WEEK": lambda day, today: _side(_weeks(day) - _weeks(today), 0, 0),
    "LAST_N_WEEKS:3": lambda day, today: _side(_weeks(day) - _weeks(today), -3, -1),
    "THIS_MONTH": lambda day, today: _side(_months(day) - _months(today), 0, 0),
    "NEXT_N_MONTHS:2": lambda day, today: _side(_months(day) - _months(today), 1, 2),
    "LAST_QUARTER": lambda day, today: _side((_months(day) - 1) // 3 - (_months(today) - 1) // 3, -1, -1),
    "THIS_YEAR": lambda day, today: _side(day.year - today.year, 0, 0),
}
