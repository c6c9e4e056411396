"""What the provider says no with."""

STATUS = {
    "UNAUTHORIZED": 401,
    "NOT_SUPPORTED": 403,
    "TICKET_NOT_FOUND": 404,
    "LINE_NOT_FOUND": 404,
    "NOT_FOUND": 404,
    "METHOD_NOT_ALLOWED": 405,
    "ESIM_NOT_READY": 409,
    "IDEMPOTENCY_KEY_REUSED": 409,
    "LINE_EXISTS": 409,
    "LINE_STATE": 409,
    "EID_IN_USE": 409,
    "MSISDN_IN_USE": 409,
    "PAYLOAD_TOO_LARGE": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "MAINTENANCE": 503,
}


class Refused(Exception):
    """A request that changed nothing. `code` is stable, `text` for people."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code, self.text = code, text

    @property
    def status(self) -> int:
        """The HTTP status that goes with the code; 422 for what is wrong with the data."""
        return STATUS.get(self.code, 422)
