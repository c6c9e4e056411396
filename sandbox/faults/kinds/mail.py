"""Faults of the mail server."""

from pydantic import Field

from sandbox.faults.kinds.base import Fault


class SmtpReply(Fault):
    """The server refuses at this point of the conversation: with 4xx for now, with 5xx for good."""

    kind = "smtp_reply"
    title = "Refusal by SMTP"
    systems = ("mail",)
    operations = ("message.accept", "HELO", "MAIL", "RCPT")

    code: int = Field(451, ge=400, le=599, description="Reply code")
    text: str = Field("4.3.0 Try again later", pattern=r"^[\x20-\x7e]+$", description="Reply text")
