"""Where in a query something stands, and how a refusal points at it."""

from dataclasses import dataclass

from sandbox.salesforce.errors import ApiError

# The service shows this many characters to either side of the place, and finishes the words it cuts.
_SHOWN = 30
_BETWEEN_WORDS = " ,"


@dataclass(frozen=True)
class Place:
    """A place in the text; row and column are counted from 1."""

    text: str
    row: int
    column: int

    def refuse(self, code: str, message: str) -> ApiError:
        """An error that shows what stands around the place, points at it and says what is wrong there."""
        return self._error(code, self.column, message)

    def misplaced(self, message: str) -> ApiError:
        """MALFORMED_QUERY from the parser, which counts columns from 0 and points one character further left."""
        return self._error("MALFORMED_QUERY", self.column - 1, message)

    def _error(self, code: str, column: int, message: str) -> ApiError:
        line = self.text.split("\n")[self.row - 1]
        at = max(column - 1, 0)
        start, end = _word_start(line, at - _SHOWN), _word_end(line, at + _SHOWN)
        pointer = " " * (at - start) + "^"
        return ApiError(code, f"\n{line[start:end]}\n{pointer}\nERROR at Row:{self.row}:Column:{column}\n{message}")


def _word_start(line: str, at: int) -> int:
    at = max(at, 0)
    while at > 0 and line[at - 1] not in _BETWEEN_WORDS:
        at -= 1
    return at


def _word_end(line: str, at: int) -> int:
    while at < len(line) and line[at] not in _BETWEEN_WORDS:
        at += 1
    return at
