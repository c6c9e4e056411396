"""What is known of the call that a change is made by, as far as the org itself has a use for it."""

from dataclasses import dataclass, field

from sandbox.salesforce.duplicates import DuplicateOptions


@dataclass(frozen=True)
class Asking:
    """`origin` is what change events say (salesforce-wire.md, section 1.8), empty for a change of the org's own; `base`
    is what URLs begin with."""

    origin: str = ""
    base: str = "/services/data/v66.0"
    duplicates: DuplicateOptions = field(default_factory=DuplicateOptions)

    def url_of(self, type_name: str, record_id: str) -> str:
        """Where the caller finds a record."""
        return f"{self.base}/sobjects/{type_name}/{record_id}"
