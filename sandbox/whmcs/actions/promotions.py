"""GetPromotions, and quotes, which this installation has none of (whmcs-wire §3.2, Appendix A)."""

from sandbox.whmcs.answers import Answer, Payload, Refused
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.listing import page_of
from sandbox.whmcs.ordering.records import Promotion
from sandbox.whmcs.php import PhpArray, text


def get_promotions(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Every code, or the one of `code`."""
    code = text(form.get("code"))
    rows = [_row(each) for each in (whmcs.promotions.find("code", code) if code else whmcs.promotions.all())]
    return Answer({"totalresults": len(rows), "promotions": {"promotion": rows}})


def _row(promotion: Promotion) -> Payload:
    return {
        "id": promotion.id,
        "code": promotion.code,
        "type": promotion.type,
        "recurring": int(promotion.recurring),
        "value": promotion.value,
        "cycles": ",".join(promotion.cycles),
        "appliesto": ",".join(map(str, promotion.pids)),
        "requires": "",
        "requiresexisting": 0,
        "startdate": promotion.starts,
        "expirationdate": promotion.expires,
        "maxuses": promotion.max_uses,
        "uses": promotion.uses,
        "lifetimepromo": 0,
        "applyonce": 0,
        "newsignups": 0,
        "existingclient": 0,
        "onceperclient": 0,
        "recurfor": 0,
        "upgrades": 0,
        "notes": "",
    }


def get_quotes(_: Whmcs, form: PhpArray) -> Answer:
    """None: quotes are made by people in the administration, which the sandbox does not play."""
    nothing: list[Payload] = []
    return Answer(page_of(form, nothing).envelope("quotes", "quote", lambda row: row))


def accept_quote(_: Whmcs, __: PhpArray) -> Answer:
    """No quote exists, so none can be accepted."""
    raise Refused("Quote ID Not Found")
