"""The four kinds of trouble with an outside system (architecture.md §3). Texts hold no personal data and no body."""


class OutsideError(Exception):
    """A call to an outside system did not give what was asked.

    `system` and `operation` say which call, `code` is a short stable word for people and statistics, `text` one
    sentence for staff.
    """

    def __init__(self, system: str, operation: str, code: str, text: str = "") -> None:
        super().__init__(f"{system} {operation}: {code}{': ' + text if text else ''}")
        self.system, self.operation, self.code, self.text = system, operation, code, text


class Rejected(OutsideError):
    """They answered no: the data or the request is wrong. Repeating it gives the same answer."""


class Unavailable(OutsideError):
    """Nothing happened there: refused before it was sent, or a read that may be repeated."""


class UnknownOutcome(OutsideError):
    """It was sent and no usable answer came: look before anything else."""


class Misconfigured(OutsideError):
    """A key, permission, address or field is wrong: a person must act."""
