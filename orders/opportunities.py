"""Which Opportunity an order takes, and what becomes of it when the order is cancelled (decisions.md 15).

Pure rules: they ask nobody and write nothing. Application_Stage__c and the commodity are never written.
"""

from collections.abc import Collection, Sequence

from integrations.salesforce import fields as f
from integrations.salesforce.schemas import OpportunityRecord

OPEN = frozenset({f.STAGE_INTRODUCTION, f.STAGE_READY})


def match(
    candidates: Sequence[OpportunityRecord], *, commodity: str, taken: Collection[str]
) -> OpportunityRecord | None:
    """The newest open Opportunity of this commodity that no other order of ours has; None: the order makes its own.

    A corporate one fits its personal commodity, and stays corporate.
    """
    fitting = [each for each in candidates if _fits(each, commodity) and each.id not in taken]
    return max(fitting, key=lambda each: (each.created, each.id), default=None)


def stage_after_cancel(opportunity: OpportunityRecord, *, portal_ref: str) -> str:
    """The stage an Opportunity gets when the order of `portal_ref` is cancelled; empty: leave it as it is.

    Only what placing left in Post Processing is ours to move: an Active one, and one that a person moved on or made by
    hand, stay.
    """
    if opportunity.stage != f.STAGE_POST_PROCESSING:
        return ""
    if opportunity.source == f.SOURCE_ELIGIBILITY:
        return f.STAGE_READY
    made_for_it = opportunity.source == f.SOURCE_ORDER and opportunity.portal_ref == portal_ref
    return f.STAGE_VOID if made_for_it else ""


def _fits(opportunity: OpportunityRecord, commodity: str) -> bool:
    personal = opportunity.commodity.replace(f.CORPORATE, f.PERSONAL, 1)
    return opportunity.stage in OPEN and commodity in {opportunity.commodity, personal}
