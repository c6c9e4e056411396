"""From the text of a query to its parts, or the refusal the platform's parser gives."""

import re
from functools import cache
from pathlib import Path

from lark import Lark, UnexpectedCharacters, UnexpectedInput, UnexpectedToken
from lark.exceptions import VisitError

from sandbox.salesforce.errors import ApiError
from sandbox.salesforce.soql.building import Builder
from sandbox.salesforce.soql.place import Place
from sandbox.salesforce.soql.tree import Query

LONGEST = 100_000
_GRAMMAR = Path(__file__).with_name("grammar.lark")
# Where the parser gives up on more than one token it names all of them from where it began to choose.
_BEGUN = re.compile(r"(?:\bselect\s+|[\w.]+\s+(?:not\s+)?in\s*\(\s*|\b[a-z]\w*\s*\(\s*)\Z", re.IGNORECASE)


def parse(text: str) -> Query:
    """The query in the text. Raises ApiError MALFORMED_QUERY or QUERY_TOO_COMPLICATED."""
    if not text.strip():
        raise ApiError("MALFORMED_QUERY", "SOQL statements cannot be empty or null")
    if len(text) > LONGEST:
        raise ApiError("MALFORMED_QUERY", f"SOQL statements cannot be longer than {LONGEST} characters.")
    try:
        return Builder(text).build(_parser().parse(text))
    except UnexpectedInput as error:
        raise _malformed(text, error) from error
    except VisitError as error:
        raise error.orig_exc from error


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR.read_text(encoding="utf-8"), parser="lalr", lexer="contextual", maybe_placeholders=False)


def _malformed(text: str, error: UnexpectedInput) -> ApiError:
    if isinstance(error, UnexpectedToken) and error.token.type != "$END":
        return _unexpected(text, error.token.start_pos or 0, error.line or 1, error.column or 1, str(error.token))
    if isinstance(error, UnexpectedCharacters):
        return _unexpected_characters(text, error)
    lines = text.split("\n")
    return Place(text, len(lines), len(lines[-1]) + 1).misplaced("unexpected token: '<EOF>'")


def _unexpected_characters(text: str, error: UnexpectedCharacters) -> ApiError:
    rest = text[error.pos_in_stream :]
    word = re.match(r"\w+|[(),*]", rest)
    if word:
        return _unexpected(text, error.pos_in_stream or 0, error.line, error.column, word[0])
    # A string that never ends is one token with all that follows.
    token = rest if rest.startswith("'") else rest[:1]
    message = f"line {error.line}:{error.column - 1} unexpected token: '{token}'"
    return Place(text, error.line, error.column).misplaced(message)


def _unexpected(text: str, at: int, row: int, column: int, token: str) -> ApiError:
    begun = _BEGUN.search(text, max(0, at - 300), at) if token in ("FROM", "*", ")") or not at else None
    return Place(text, row, column).misplaced(f"unexpected token: '{begun[0] if begun else ''}{token}'")
