"""What `manage.py check` refuses beside Django's own list (decisions.md 32)."""

from functools import cache
from typing import Any

from django.conf import settings
from django.core.checks import Error, Tags, register

from orders.matters import VERSIONS

SALESFORCE = ".salesforce.com"


@register(Tags.security, deploy=True)
def salesforce_hosts(**_about: Any) -> list[Error]:
    """The access token goes to the instance Salesforce names, so only Salesforce's own hosts may be named."""
    foreign = [host for host in settings.SF_INSTANCE_HOSTS if not host.endswith(SALESFORCE)]
    sentence = f"SF_INSTANCE_HOSTS names hosts that are not Salesforce's: {', '.join(foreign)}."
    return [Error(sentence, id="portal.E001")] if foreign else []


@register(Tags.compatibility)
def texts_in_force(**_about: Any) -> list[Error]:
    """Nobody can agree to texts that do not exist: TERMS_VERSION has its terms and its important matters."""
    known = terms_versions() & VERSIONS.keys()
    sentence = f"TERMS_VERSION is none of the versions there are: {', '.join(sorted(known))}."
    return [] if settings.TERMS_VERSION in known else [Error(sentence, id="portal.E002")]


@cache
def terms_versions() -> frozenset[str]:
    """The versions of the terms that have a text."""
    return frozenset(file.stem for file in (settings.BASE_DIR / "templates/portal/terms").glob("[0-9]*.html"))
