"""`{% kept "name" varying… %}…{% endkept %}`: a part of the shell that is written once per process and variant.

Only for what is the same for everybody who sees that variant: no form token, no name, nothing of a request. A variant
is the language and the values named in the tag, of which there must be few.
"""

from typing import Any

from django import template
from django.conf import settings
from django.template.base import FilterExpression, NodeList, Parser, Token
from django.utils.safestring import SafeString
from django.utils.translation import get_language

register = template.Library()
MOST = 512  # variants
Key = tuple[Any, ...]


class Written(dict[Key, SafeString]):
    """The parts by their variants; begins anew when there are too many."""

    def keep(self, key: Key, text: SafeString) -> SafeString:
        """Raises ValueError for a part with a form token in it, which is one browser's."""
        if "csrfmiddlewaretoken" in text:
            raise ValueError(f"{key[0]} is not the same for everybody")
        if len(self) >= MOST:
            self.clear()
        self[key] = text
        return text


written = Written()


class KeptNode(template.Node):
    child_nodelists = ("nodelist",)

    def __init__(self, name: str, varying: list[FilterExpression], nodelist: NodeList) -> None:
        self.name, self.varying, self.nodelist = name, varying, nodelist

    def render(self, context: template.Context) -> SafeString:
        if settings.DEBUG:
            return self.nodelist.render(context)
        key = (self.name, get_language(), *(each.resolve(context) for each in self.varying))
        text = written.get(key)
        return written.keep(key, self.nodelist.render(context)) if text is None else text


@register.tag
def kept(parser: Parser, token: Token) -> KeptNode:
    """The name is a literal; the rest are what its words depend on."""
    _tag, name, *varying = token.split_contents()
    nodelist = parser.parse(("endkept",))
    parser.delete_first_token()
    return KeptNode(name.strip("\"'"), [parser.compile_filter(each) for each in varying], nodelist)
