"""What `manage.py check --deploy` refuses beside Django's own list (decisions.md 32)."""

from typing import Any

from django.conf import settings
from django.core.checks import Error, Tags, register

SALESFORCE = ".salesforce.com"


@register(Tags.security, deploy=True)
def salesforce_hosts(**_about: Any) -> list[Error]:
    """The access token goes to the instance Salesforce names, so only Salesforce's own hosts may be named."""
    foreign = [host for host in settings.SF_INSTANCE_HOSTS if not host.endswith(SALESFORCE)]
    sentence = f"SF_INSTANCE_HOSTS names hosts that are not Salesforce's: {', '.join(foreign)}."
    return [Error(sentence, id="portal.E001")] if foreign else []
