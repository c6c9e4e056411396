"""Parts of the shell that are written once: for each variant and language apart, and never with what is somebody's."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.template import engines
from django.test import RequestFactory
from django.utils.translation import override

from portal.templatetags import kept

COUNTED = '{% kept "part" who %}{{ who }} {% translate "Cart" %} {{ seen }}{% endkept %}'


@pytest.fixture(autouse=True)
def _nothing_written() -> Iterator[None]:
    kept.written.clear()
    yield
    kept.written.clear()


def written(template: str = COUNTED, **context: Any) -> str:
    return engines["django"].from_string(template).render(context, RequestFactory().get("/"))


def test_a_part_is_written_once_for_each_variant_and_language() -> None:
    assert written(who="visitor", seen="first") == "visitor Cart first"
    assert written(who="visitor", seen="second") == "visitor Cart first"
    assert written(who="<customer>", seen="third") == "&lt;customer&gt; Cart third"
    with override("ja"):
        assert written(who="visitor", seen="fourth") == "visitor カート fourth"


def test_a_part_with_a_form_token_is_refused_because_it_is_one_browser_s() -> None:
    with pytest.raises(ValueError, match="part is not the same for everybody"):
        written('{% kept "part" %}<form>{% csrf_token %}</form>{% endkept %}', csrf_token="of-aiko")
    assert not kept.written


def test_while_somebody_works_on_the_templates_nothing_is_kept(settings: Any) -> None:
    settings.DEBUG = True
    written(who="visitor", seen="first")
    assert written(who="visitor", seen="second") == "visitor Cart second"


def test_there_are_never_more_parts_than_memory_is_meant_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST", 3)
    for n in range(10):
        written(who=str(n), seen="x")
        assert len(kept.written) <= 3
