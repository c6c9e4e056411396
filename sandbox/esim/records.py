"""What the provider keeps."""

from dataclasses import dataclass, field
from typing import Literal

CAPABILITIES = ("activate", "reissue", "topup", "change_plan", "suspend", "terminate", "usage", "mnp_in")

Status = Literal["issuing", "active", "suspended", "terminated"]
State = Literal["accepted", "processing", "done", "failed"]


@dataclass
class Line:
    """One customer's line. `line_ref` is the caller's own name for it; after a reissue only the number stays."""

    id: int
    line_ref: str
    order_ref: str
    plan: str
    status: Status
    msisdn: str
    created: str
    iccid: str = ""
    eid: str = ""
    issue: int = 0  # how often a profile was issued
    profile: Literal["none", "ready", "installed"] = "none"
    ready_at: str = ""  # when the install data may be fetched
    bytes_total: int = 0
    bytes_used: int = 0
    valid_until: str = ""


@dataclass
class Ticket:
    """What was asked, and how far it is. Accepted is not done."""

    id: int
    kind: str  # a capability
    key: str  # the caller's Idempotency-Key
    fingerprint: str  # of what was asked under that key
    line_ref: str
    asked: dict[str, str]
    state: State
    created: str
    due: str  # when it ends by the clock; empty: by the button only
    ended: str = ""
    code: str = ""  # of a failure
    text: str = ""
    retryable: bool = False
    correlation_id: str = ""

    @property
    def ref(self) -> str:
        """How the ticket is called outside."""
        return f"T{self.id:08d}"

    @property
    def is_open(self) -> bool:
        """Whether it has not ended yet."""
        return self.state in ("accepted", "processing")


@dataclass
class Settings:
    """How the provider behaves."""

    id: int = 1
    api_key: str = "esim-sandbox-key"
    capabilities: list[str] = field(default_factory=lambda: list(CAPABILITIES))
    processing_s: float = 0.0  # from accepted to done; below 0: until somebody presses the button
    install_data_after_s: float = 0.0  # from done to the install data being there
    usage_lag_s: float = 0.0  # how old the usage figures are
    honours_keys: bool = True  # off: the same Idempotency-Key sent twice acts twice
    reject: str = ""  # a code with which the next request is refused before it is accepted
    fail: str = ""  # a code with which the next accepted ticket ends
    closed_from: str = ""  # daily maintenance, HH:MM Japan time; both empty: never
    closed_until: str = ""
