from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.template import Context, Template
from django.utils.translation import override

NOON = datetime(2026, 11, 20, 5, 5, 7, tzinfo=UTC)  # 14:05:07 in Japan, a Friday
MIDNIGHT = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)  # already the 21st in Japan


def drawn(source: str, language: str = "en", **values: Any) -> str:
    with override(language):
        return Template(source).render(Context(values)).strip()


@pytest.mark.parametrize(
    ("amount", "english", "japanese"),
    [
        (0, "¥0", "0円"),
        (550, "¥550", "550円"),
        (4730, "¥4,730", "4,730円"),
        (Decimal("1234567.00"), "¥1,234,567", "1,234,567円"),
        (-3300, "−¥3,300", "−3,300円"),
    ],
)
def test_yen_has_a_comma_every_three_digits(amount: int, english: str, japanese: str) -> None:
    assert drawn("{% yen n %}", n=amount) == drawn("{{ n|yen }}", n=amount) == english
    assert drawn("{% yen n %}", "ja", n=amount) == japanese


def test_a_fraction_of_a_yen_is_refused() -> None:
    with pytest.raises(ValueError, match="not whole yen"):
        drawn("{% yen n %}", n=Decimal("10.5"))


@pytest.mark.parametrize(
    ("cycle", "english", "japanese"),
    [
        ("Monthly", "¥4,730 per month", "月額 4,730円"),
        ("Annually", "¥4,730 per year", "年額 4,730円"),
        ("One-time", "¥4,730 once", "1回のみ 4,730円"),
    ],
)
def test_a_price_in_a_sentence_has_the_order_of_its_language(cycle: str, english: str, japanese: str) -> None:
    assert drawn("{% price_text 4730 cycle %}", cycle=cycle) == english
    assert drawn("{% price_text 4730 cycle %}", "ja", cycle=cycle) == japanese


def words(markup: str) -> str:
    return " ".join(Template("{{ m|striptags }}").render(Context({"m": markup})).split())


def test_the_price_component_reads_in_the_order_of_its_language() -> None:
    source = '{% price 4180 "Monthly" size="medium" starting=True once=3300 %}'
    assert words(drawn(source)) == "from ¥4,180 per month incl. tax + ¥3,300 once, on the first bill"
    assert words(drawn(source, "ja")) == "月額 4,180円 から （税込） 初回請求時に別途3,300円（1回のみ）"
    assert 'class="price medium"' in drawn(source)


@pytest.mark.parametrize(
    ("style", "english", "japanese"),
    [
        ("full", "Fri 20 Nov 2026, 14:05", "2026年11月20日(金) 14:05"),
        ("short", "Fri 20 Nov, 14:05", "11月20日(金) 14:05"),
        ("stop", "Fri 20 Nov, 14:05", "11月20日(金) 14:05"),
        ("date", "Fri 20 Nov 2026", "2026年11月20日(金)"),
        ("day", "20 Nov 2026", "2026年11月20日"),
        ("weekday", "Fri 20 Nov", "11月20日(金)"),
        ("month", "November 2026", "2026年11月"),
        ("time", "14:05", "14:05"),
        ("clock", "14:05:07", "14:05:07"),
    ],
)
def test_times_are_japans_in_both_languages(style: str, english: str, japanese: str) -> None:
    assert drawn("{{ at|jst:style }}", at=NOON, style=style) == english
    assert drawn("{{ at|jst:style }}", "ja", at=NOON, style=style) == japanese


def test_a_time_carries_its_machine_form_with_japans_offset() -> None:
    assert drawn("{% jst at %}", at=NOON) == (
        '<time datetime="2026-11-20T14:05:07+09:00">Fri 20 Nov 2026, 14:05</time>'
    )
    assert drawn('{% jst at "stop" %}', at=MIDNIGHT) == (
        '<time datetime="2026-11-21T00:00:00+09:00">Sat 21 Nov<br> 00:00</time>'
    )


def test_a_plain_date_is_not_moved_and_nothing_is_nothing() -> None:
    assert drawn('{% jst day "day" %}', day=date(2026, 12, 1)) == '<time datetime="2026-12-01">1 Dec 2026</time>'
    assert drawn("{% jst missing %}{{ missing|jst }}", missing=None) == ""


def test_a_moment_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        drawn("{% jst at %}", at=datetime(2026, 11, 20, 14, 5))


@pytest.mark.parametrize(
    ("number", "shown"), [("104882", "104\u00a0882"), (7, "7"), ("0312345678", "0312345678"), ("A-12", "A-12")]
)
def test_customer_numbers_stand_in_groups_of_three(number: str | int, shown: str) -> None:
    assert drawn("{{ n|grouped }}", n=number) == shown


def test_an_icon_is_hidden_from_screen_readers() -> None:
    assert drawn('{% icon "cart" "small" %}') == (
        '<svg class="icon small" aria-hidden="true"><use href="/static/icons.svg#cart"/></svg>'
    )


def test_a_qr_code_is_a_labelled_picture_and_escapes_its_label() -> None:
    markup = drawn('{% qr "LPA:1$x$y" label "caption" %}', label='"><script>')
    assert 'role="img"' in markup
    assert "<script>" not in markup
