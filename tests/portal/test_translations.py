import os
from collections import Counter
from pathlib import Path
from typing import Any

import polib
import pytest
from django.conf import settings

from portal import translations
from portal.translations import Message, compile_all, gaps, messages
from tests.people import make_customer, signed_in


def test_every_text_is_in_japanese() -> None:
    assert gaps("ja") == []


def test_a_text_is_translated_once() -> None:
    """Of two the last would win, wherever the first was meant; two meanings are told apart by a context."""
    texts = [
        (each.msgctxt, each.msgid) for each in polib.pofile(str(settings.LOCALE_PATHS[0] / "ja/LC_MESSAGES/django.po"))
    ]
    assert [text for text, times in Counter(texts).items() if times > 1] == []


@pytest.mark.django_db
def test_the_words_of_the_header_are_the_customers() -> None:
    browser = signed_in(make_customer("aiko@example.jp"))
    header = browser.get("/overview/", headers={"accept-language": "ja"}).content.decode().partition("<main")[0]
    assert "アカウント" in header
    assert "取引先" not in header, "that is what Salesforce calls an Account"


@pytest.fixture
def house(tmp_path: Path, settings: Any) -> Path:
    """A small project with one template and one Python file."""
    settings.BASE_DIR, settings.LOCALE_PATHS = tmp_path, [tmp_path / "locale"]
    (tmp_path / "templates").mkdir()
    (tmp_path / "portal").mkdir()
    (tmp_path / "locale/ja/LC_MESSAGES").mkdir(parents=True)
    (tmp_path / "templates/page.html").write_text(
        '{% translate "Save" %} {% translate "100%" context "share" %} {% include "x" with word=_("Done") %}'
        "{% blocktranslate trimmed count n=n with who=who %}\n one for {{ who }}\n"
        "{% plural %} {{ n }} for {{ who }} {% endblocktranslate %}"
    )
    (tmp_path / "portal/flow.py").write_text(
        "from django.utils.translation import gettext_lazy as _, pgettext\n"
        'A = _("Bill" " due")\nB = pgettext("noun", "Order")\nC = print("not for people")\n'
    )
    return tmp_path


def write(house: Path, *entries: str) -> Path:
    po = house / "locale/ja/LC_MESSAGES/django.po"
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\nPlural-Forms: nplurals=1; plural=0;\\n"\n\n'
    po.write_text(head + "\n\n".join(entries) + "\n")
    return po


def test_texts_are_found_in_templates_and_in_python(house: Path) -> None:
    assert set(messages()) == {
        Message("templates/page.html", "Save"),
        Message("templates/page.html", "100%%", context="share"),
        Message("templates/page.html", "Done"),
        Message("templates/page.html", "one for %(who)s", plural="%(n)s for %(who)s"),
        Message("portal/flow.py", "Bill due"),
        Message("portal/flow.py", "Order", context="noun"),
    }


def test_a_missing_an_empty_and_an_uncertain_translation_are_gaps(house: Path) -> None:
    write(house, 'msgid "Save"\nmsgstr ""', '#, fuzzy\nmsgid "Done"\nmsgstr "完了"', 'msgid "Bill due"\nmsgstr "請求"')
    sentences = "\n".join(gaps("ja"))
    assert "'Save' is not translated" in sentences
    assert "'Done' is not translated" in sentences
    assert "Bill due" not in sentences


def test_placeholders_must_be_the_same(house: Path) -> None:
    plural = 'msgid "one for %(who)s"\nmsgid_plural "%(n)s for %(who)s"\nmsgstr[0] "{}"'
    write(house, plural.format("%(n)s件"))
    assert any("lacks %(who)s" in sentence for sentence in gaps("ja"))
    write(house, plural.format("%(whom)s様に%(n)s件"))
    assert any("other placeholders" in sentence for sentence in gaps("ja"))
    write(house, plural.format("%(who)s様に%(n)s件"))
    assert not any("for %(who)s" in sentence for sentence in gaps("ja"))


def test_compiling_is_done_once_and_again_after_a_change(house: Path) -> None:
    po = write(house, 'msgid "Save"\nmsgstr "保存する"')
    assert compile_all() == 1
    assert compile_all() == 0
    later = po.with_suffix(".mo").stat().st_mtime + 5
    os.utime(po, (later, later))
    assert compile_all() == 1


def test_the_command_names_each_gap(house: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.core.management import CommandError, call_command

    write(house)
    with pytest.raises(CommandError, match=r"templates/page\.html: 'Save' is not translated"):
        call_command("compile_translations", "--check")
    assert translations.catalogues()[0].with_suffix(".mo").is_file()
