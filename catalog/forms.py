"""The options and add-ons of a plan as form controls. The judge is catalog.pricing, not the controls."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_lazy as _

from catalog import options as catalog_options
from catalog.models import Product
from catalog.options import Label, Option
from catalog.pricing import LineRefused, PricedLine, price_line

PREFIX = "option-"
ADD_ON = "add_on"
Posted = MultiValueDict[str, str]


@dataclass(frozen=True)
class Offer:
    """What a choice says: its name, a hint, and what it adds to the price (the template writes the money)."""

    name: str
    price: int
    cycle: str
    hint: str = ""

    def __str__(self) -> str:
        return self.name


class ConfigurationForm(forms.Form):
    """One plan's controls; `priced` is the line as chosen, None while something about it is refused."""

    priced: PricedLine | None = None

    def __init__(
        self,
        plan: Product,
        products: Mapping[str, Product],
        data: Posted | None,
        *,
        refused: LineRefused | None = None,
    ) -> None:
        """`refused`: what the cart said already about `data`; then nothing is judged again."""
        self.plan, self.products, self.refused = plan, products, refused
        self.options = catalog_options.parse(plan.options)
        initial = {f"{PREFIX}{key}": value for key, value in catalog_options.defaults(self.options).items()}
        super().__init__(data=data, initial=initial)
        sent = chosen_in(data)["options"] if data is not None else catalog_options.defaults(self.options)
        applying = catalog_options.applying(self.options, sent)
        for option in self.options:
            field = FIELD_OF[option.type](option, plan.billing_cycle)
            field.depends = option.key if option.when else ""  # type: ignore[attr-defined]  # the template wraps it
            field.applies = option.key in applying  # type: ignore[attr-defined]
            self.fields[f"{PREFIX}{option.key}"] = field
        if add_ons := _add_ons(plan, products):
            self.fields[ADD_ON] = _add_on_field(add_ons)

    def clean(self) -> dict[str, Any]:
        """Judges what was sent, controls we did not draw included; the refusal stands beside its control."""
        try:
            if self.refused:
                raise self.refused
            self.priced = price_line(products=self.products, sku=self.plan.sku, **chosen_in(self.data))
        except LineRefused as refused:
            self.add_error(refused.field if refused.field in self.fields else None, str(refused.sentence))
        return self.cleaned_data

    def as_shown(self) -> PricedLine | None:
        """The line to show the price of: as chosen, or with the first choices before anything was chosen.

        None while something is refused, or is needed and has no first choice (a text, a yes).
        """
        if self.is_bound:
            return self.priced if self.is_valid() else None
        first = catalog_options.defaults(self.options)
        try:
            return price_line(products=self.products, sku=self.plan.sku, options=first, add_ons=())
        except LineRefused:
            return None


def chosen_in(data: Any) -> dict[str, Any]:
    """quantity, options and add-ons as they were sent, for `price_line`; prices are never read from there."""
    sent = {key: value for key, value in data.items() if key.startswith(PREFIX)}
    return {
        "quantity": data.get("quantity", "1"),
        "options": {key.removeprefix(PREFIX): value for key, value in sent.items()},
        "add_ons": data.getlist(ADD_ON),
    }


def is_chosen_in(address: Posted) -> bool:
    """Whether an address carries a choice of ours; what campaigns and other sites append to links is none."""
    return any(name == ADD_ON or name.startswith(PREFIX) for name in address)


def _add_ons(plan: Product, products: Mapping[str, Product]) -> list[Product]:
    fitting = (product for product in products.values() if product.category == plan.category and product.accessible)
    return [product for product in fitting if product.item_class == Product.ItemClass.ADD_ON]


def _add_on_field(add_ons: Sequence[Product]) -> forms.Field:
    choices = [
        (product.sku, Offer(product.name, product.price or 0, product.billing_cycle, product.description))
        for product in add_ons
    ]
    return forms.Field(label=_("Add-ons"), required=False, widget=forms.CheckboxSelectMultiple(choices=choices))


def _choice_field(option: Option, cycle: str) -> forms.Field:
    choices = [(choice.value, Offer(str(choice.label), choice.price, cycle)) for choice in option.choices]
    return _field(option, forms.RadioSelect(choices=choices, attrs={"across": len(choices) == 2}))


def _yes_no_field(option: Option, cycle: str) -> forms.Field:
    choices = [("yes", Offer(_words(option.choices[0].label), option.unit_price, cycle))]
    field = _field(option, forms.CheckboxSelectMultiple(choices=choices))
    field.names_itself = True  # type: ignore[attr-defined]  # its one choice says the same as its heading
    return field


def _quantity_field(option: Option, cycle: str) -> forms.Field:
    attrs = {"class": "w-s", "min": option.minimum, "max": option.maximum, "inputmode": "numeric"}
    return _field(option, forms.NumberInput(attrs=attrs | _described(option)), Offer("", option.unit_price, cycle))


def _text_field(option: Option, cycle: str) -> forms.Field:
    attrs = {"maxlength": catalog_options.TEXT_LENGTH}
    return _field(option, forms.TextInput(attrs=attrs | _described(option)), Offer("", option.price, cycle))


def _described(option: Option) -> dict[str, str]:
    """Screen readers are led to a price between label and control; with a hint before it Django does that itself."""
    return {"aria-describedby": f"id_{PREFIX}{option.key}_helptext"} if option.unit_price and not option.hint else {}


def _field(option: Option, widget: forms.Widget, unit: Offer | None = None) -> forms.Field:
    field = forms.Field(label=_words(option.label), required=False, widget=widget)
    field.help_text = _words(option.hint) if option.hint else ""
    field.offer = unit  # type: ignore[attr-defined]  # the template writes what one more costs
    field.is_counted = option.type == "quantity"  # type: ignore[attr-defined]  # the price is that of one
    field.is_needed = option.required  # type: ignore[attr-defined]  # the judge says so, not Django's own check
    return field


def _words(label: Label) -> str:
    return str(label)


FIELD_OF: Mapping[str, Callable[[Option, str], forms.Field]] = {
    "choice": _choice_field,
    "yes_no": _yes_no_field,
    "quantity": _quantity_field,
    "text": _text_field,
}
