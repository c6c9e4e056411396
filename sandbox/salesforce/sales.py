"""The platform's rules for opportunities, their products, and contracts."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from sandbox.salesforce import prices
from sandbox.salesforce.saving import Saving
from sandbox.store import Record


@dataclass(frozen=True)
class Stage:
    """What a stage says of its opportunities: percent, and the forecast category by its two names."""

    probability: int
    category: str
    category_name: str
    closed: bool = False
    won: bool = False


# Of the stages only those for cancelling have these values written down (salesforce-org.md, section 6).
_STAGES = {
    "Introduction": Stage(10, "Pipeline", "Pipeline"),
    "Ready": Stage(30, "BestCase", "Best Case"),
    "Post Processing": Stage(70, "Forecast", "Commit"),
    "Active": Stage(100, "Closed", "Closed", closed=True, won=True),
    "Void": Stage(0, "Omitted", "Omitted", closed=True),
    "△Cancelling": Stage(50, "Pipeline", "Pipeline"),
    "△Cancelled": Stage(0, "Omitted", "Omitted", closed=True),
}
_UNKNOWN_STAGE = Stage(0, "Pipeline", "Pipeline")


def judge_stage(opportunity: Saving) -> None:
    """IsClosed, IsWon and the forecast follow the stage, as does Probability unless the same save gives another."""
    record = opportunity.record
    stage = _STAGES.get(str(record.get("StageName")), _UNKNOWN_STAGE)
    record |= {"IsClosed": stage.closed, "IsWon": stage.won}
    if opportunity.changed("StageName"):
        record["ForecastCategory"] = stage.category
        if not opportunity.changed("ForecastCategoryName"):
            record["ForecastCategoryName"] = stage.category_name
        if not opportunity.changed("Probability"):
            record["Probability"] = float(stage.probability)
    record["ExpectedRevenue"] = _expected(record.get("Amount"), record)


def check_line(line: Saving) -> None:
    """Fit a product to its opportunity and price book entry, and derive what follows from them."""
    record, org = line.record, line.org
    opportunity = org.get("Opportunity", record.get("OpportunityId") or "")
    entry = org.get("PricebookEntry", record.get("PricebookEntryId") or "")
    if opportunity is None or entry is None:
        return  # the check of required fields and references says it
    if line.creating:
        # The first product gives the opportunity its price book.
        pricebook = opportunity["Pricebook2Id"] or entry["Pricebook2Id"]
        prices.check_fit({**opportunity, "Pricebook2Id": pricebook}, entry, "opportunity")
        record |= {name: entry[name] for name in ("Product2Id", "ProductCode", "CurrencyIsoCode")}
        record |= {"ListPrice": entry["UnitPrice"], "Name": f"{opportunity['Name']} {entry['Name']}"[:376]}
    record["TotalPrice"] = prices.total(record)


def roll_up(line: Saving) -> None:
    """Bring the opportunity's amount up to date."""
    org, opportunity_id = line.org, line.record["OpportunityId"]
    opportunity = org.get("Opportunity", opportunity_id)
    if opportunity is None:
        return
    lines = org.find("OpportunityLineItem", "OpportunityId", opportunity_id)
    changes: dict[str, object] = {"HasOpportunityLineItem": bool(lines)}
    if lines:
        entry = org.get("PricebookEntry", line.record["PricebookEntryId"]) or {}
        amount = prices.rounded(sum((prices.exact(each["TotalPrice"]) for each in lines), Decimal()))
        pricebook = opportunity["Pricebook2Id"] or entry.get("Pricebook2Id")
        changes |= {"Amount": amount, "ExpectedRevenue": _expected(amount, opportunity), "Pricebook2Id": pricebook}
    org.derive("Opportunity", opportunity_id, changes)


def complete_contract(contract: Saving) -> None:
    """EndDate is the last day of the term, which is counted in months."""
    start, months = contract.record.get("StartDate"), contract.record.get("ContractTerm")
    contract.record["EndDate"] = _term_end(date.fromisoformat(start), int(months)) if start and months else None


def _expected(amount: float | None, opportunity: Record) -> float | None:
    if amount is None:
        return None
    return prices.rounded(prices.exact(amount) * prices.exact(opportunity.get("Probability")) / 100)


def _term_end(start: date, months: int) -> str | None:
    count = start.year * 12 + start.month - 1 + months
    year, month = divmod(count, 12)
    if not 1 <= year <= 9999:
        return None
    day = min(start.day, monthrange(year, month + 1)[1])
    return (date(year, month + 1, day) - timedelta(days=1)).isoformat()
