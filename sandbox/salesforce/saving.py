"""One record on its way into the org."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.salesforce.schema import SObject
from sandbox.store import Record

if TYPE_CHECKING:
    from sandbox.salesforce.org import Org


@dataclass(frozen=True)
class Saving:
    """What a record was (empty for a new one), what it is to be, and who saves it; rules change `record` in place."""

    org: "Org"
    sobject: SObject
    before: Record
    record: dict[str, Any]
    user_id: str

    @property
    def creating(self) -> bool:
        """Whether the record is new."""
        return not self.before

    def changed(self, field: str) -> bool:
        """Whether this save gives the field another value."""
        return bool(self.before.get(field) != self.record.get(field))
