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


ABOUT_ONE_RECORD = frozenset({"row_locked", "halted", "opportunity_closed", "order_moved", "query_timeout"})


def is_outage(error: OutsideError) -> bool:
    """Whether the system itself is away or slow, so that whatever is asked next would fare alike.

    A round over many rows ends then: each of them would wait for its deadline, and nothing else of its queue would run.
    """
    return isinstance(error, Unavailable | UnknownOutcome) and error.code not in ABOUT_ONE_RECORD
