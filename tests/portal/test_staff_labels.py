"""Staff who read Japanese find no English among the labels of their pages."""

from collections.abc import Iterator

import pytest
from django.contrib import admin
from django.contrib.admin.utils import label_for_field
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory
from django.urls import reverse
from django.utils import translation

from accounts.models import User
from tests.people import Staff, signed_in

NAMES = {"ID", "SKU", "VPN", "WHMCS", "Salesforce", "Pub/Sub", "Message-ID", "Django-RQ"}  # the same in both languages


def labels() -> Iterator[tuple[str, str]]:
    """Where a label stands, and what it says: models and their apps, columns, fields, filters, choices, actions."""
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    for model, page in admin.site._registry.items():
        meta, name = model._meta, model._meta.label
        yield f"app of {name}", str(meta.app_config.verbose_name)
        yield name, str(meta.verbose_name)
        yield f"{name}, many", str(meta.verbose_name_plural)
        for column in page.get_list_display(request):
            if column not in ("__str__", "action_checkbox"):
                yield f"{name}.{column}", str(label_for_field(column, model, page))
        for field in meta.fields:
            yield f"{name}.{field.name}", str(field.verbose_name)
            choices = field.flatchoices if field.name != "language" else ()
            yield from ((f"{name}.{field.name}={value}", str(words)) for value, words in choices if value)
        actions = page._get_base_actions()  # type: ignore[attr-defined]
        yield from ((f"{name}: {action}", str(words)) for _function, action, words in actions)


def test_every_label_is_in_japanese() -> None:
    with translation.override("ja"):
        english = {where: words for where, words in labels() if words.isascii() and words not in NAMES}
    assert english == {}, "give it words in portal/staff_labels.py, or in its model"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "words"), [("en", "Salesforce account"), ("ja", "Salesforceの取引先"), ("ja", "お客様の紐づけ")]
)
def test_the_pages_say_them(aiko: User, cs_carol: Staff, language: str, words: str) -> None:
    browser = signed_in(cs_carol.user)
    browser.cookies["language"] = language
    assert words in browser.get(reverse("admin:accounts_customerlink_changelist")).content.decode()
