"""What an eSIM provider answers, parsed at the edge (esim.md). Nobody reads EID, number or activation code here."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Answer(BaseModel):
    """What a provider adds one day does not break us; what is missing or of another kind does."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)


class Refusal(Answer):
    """Why a request was refused or a ticket failed."""

    code: str
    message: str = ""


class TicketFailure(Refusal):
    retryable: bool = False


class Ticket(Answer):
    """What was asked for and how far it is: accepted is not done."""

    ref: str = Field(alias="ticket", min_length=1, max_length=64)
    line_ref: str
    state: Literal["accepted", "processing", "done", "failed"]
    error: TicketFailure | None = None

    @property
    def is_open(self) -> bool:
        return self.state in {"accepted", "processing"}


class Line(Answer):
    """One line by our own name for it. `iccid` is empty until a profile was issued."""

    line_ref: str
    status: Literal["issuing", "active", "suspended", "terminated"]
    iccid: str = ""

    @property
    def is_live(self) -> bool:
        """It was activated and nobody has ended it."""
        return self.status in {"active", "suspended"}
