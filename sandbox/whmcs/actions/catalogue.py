"""GetProducts, GetCurrencies and GetPaymentMethods (whmcs-wire §3.2)."""

from sandbox.whmcs.answers import Answer, Payload
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.money import PREFIX, SUFFIX
from sandbox.whmcs.ordering.switches import OrderingSwitches
from sandbox.whmcs.php import PhpArray, text, to_int, truthy
from sandbox.whmcs.products import CURRENCY, CURRENCY_ID, CYCLES, OptionChoice, Product, ProductOption, yen

_NOT_OFFERED = "-1.00"


def get_products(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Products by pid (one or a comma list), group or module; unknown ones are simply not there (§3.2)."""
    found, switches = [each for each in whmcs.products.values() if _wanted(each, form)], whmcs.settings
    rows = [_row(each, switches) for each in found]
    return Answer(
        {"totalresults": len(rows), "products": {"product": rows}}, detail={"pids": [each.pid for each in found]}
    )


def _wanted(product: Product, form: PhpArray) -> bool:
    pids = text(form.get("pid"))
    if pids and str(product.pid) not in [each.strip() for each in pids.split(",")]:
        return False
    if truthy(form.get("gid")) and product.gid != to_int(form["gid"]):
        return False
    return text(form.get("module")) in ("", product.module)


def _row(product: Product, switches: OrderingSwitches) -> Payload:
    """Both spellings of the product's address occur (§3.2)."""
    slug = product.name.lower().replace(" ", "-")
    address = f"store/{product.group.lower().replace(' ', '-')}/{slug}"
    return {
        "pid": product.pid,
        "gid": product.gid,
        "type": "other",
        "name": product.name,
        "slug": slug,
        "product-url": address,
        "product_url": address,
        "description": product.description,
        "module": product.module,
        "paytype": product.paytype,
        "allowqty": switches.allow_qty.get(str(product.pid), 0),
        "quantity_available": 0,
        "pricing": {CURRENCY: _pricing(product.cycles)},
        "customfields": {"customfield": [_mark_field(product)] if switches.mark_field_on_order_form else []},
        "configoptions": {"configoption": [_option(each, product) for each in product.options]},
    }


def _mark_field(product: Product) -> Payload:
    return {"id": product.mark_field_id, "name": product.mark_field, "description": "", "required": ""}


def _pricing(cycles: dict[str, int]) -> Payload:
    """Every cycle's price; a one-time price stands under `monthly`, as WHMCS keeps it (§3.2)."""
    prices = {"monthly" if cycle == "onetime" else cycle: yen(amount) for cycle, amount in cycles.items()}
    fees = {f"{cycle[0]}setupfee": yen(0) for cycle in CYCLES}
    return {
        "prefix": PREFIX,
        "suffix": SUFFIX,
        **fees,
        **{cycle: prices.get(cycle, _NOT_OFFERED) for cycle in CYCLES},
    }


def _option(option: ProductOption, product: Product) -> Payload:
    return {
        "id": option.id,
        "name": option.name,
        "type": option.type,
        "minqty": option.minimum,
        "maxqty": option.maximum,
        "options": {"option": [_choice(each, product) for each in option.choices]},
    }


def _choice(choice: OptionChoice, product: Product) -> Payload:
    price = dict.fromkeys(product.cycles, choice.price)
    return {
        "id": choice.id,
        "name": choice.name,
        "rawName": choice.name,
        "recurring": choice.price if product.paytype == "recurring" else 0,
        "required": False,
        "pricing": {CURRENCY: _pricing(price)},
    }


def get_currencies(_: Whmcs, __: PhpArray) -> Answer:
    """The one currency; `totalresults` is a string here (§1.5). Format 4: commas, no decimals (§2)."""
    currency = {
        "id": CURRENCY_ID,
        "code": CURRENCY,
        "prefix": PREFIX,
        "suffix": SUFFIX,
        "format": 4,
        "rate": "1.00000",
    }
    return Answer({"totalresults": "1", "currencies": {"currency": [currency]}})


def get_payment_methods(whmcs: Whmcs, _: PhpArray) -> Answer:
    """Active gateways; AddOrder wants `module` (§3.2)."""
    rows = [{"module": each.module, "displayname": each.displayname} for each in whmcs.settings.gateways]
    return Answer({"totalresults": len(rows), "paymentmethods": {"paymentmethod": rows}})
