"""The shell around every page."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client, RequestFactory

from accounts.models import User
from portal import views
from portal.context import Shell
from tests.people import signed_in
from tests.portal.pages import Tags, addresses, inline_code, is_html, opened

pytestmark = pytest.mark.django_db
BASE = Path(__file__).resolve().parents[2]


def test_landmarks_skip_link_and_one_heading(visitor: Client) -> None:
    page = opened(visitor, "/")
    assert page.one("a", class_="skip")["href"] == "#main"
    assert page.one("main", id="main")["tabindex"] == "-1"
    assert len(page.all("h1")) == len(page.all("header", class_="masthead")) == len(page.all("footer")) == 1
    assert page.one("html")["lang"] == "en"
    assert page.one("p", id="announcer")["role"] == "status"


@pytest.mark.django_db(transaction=True)
def test_every_link_of_the_shell_leads_somewhere(aiko: User) -> None:
    client = signed_in(aiko)
    page = opened(client, "/contact/")
    for link in {a["href"] for a in page.all("a") if a["href"].startswith("/")}:
        assert client.get(link).status_code in {200, 302}, link


def test_the_language_switch_works_and_comes_back(visitor: Client) -> None:
    answer = visitor.post("/language/", {"language": "ja", "next": "/terms/"})
    assert (answer.status_code, answer["Location"]) == (302, "/terms/")
    assert opened(visitor, "/terms/").one("html")["lang"] == "ja"
    assert "利用規約" in visitor.get("/terms/").content.decode()


def test_the_language_is_kept_for_the_customers_mails(aiko: User) -> None:
    signed_in(aiko).post("/language/", {"language": "ja"})
    aiko.refresh_from_db()
    assert aiko.language == "ja"


@pytest.mark.parametrize("path", ["/language/", "/theme/"])
def test_switches_do_not_lead_to_other_sites(visitor: Client, path: str) -> None:
    values = {"language": "ja", "theme": "dark", "next": "https://evil.example/"}
    assert not visitor.post(path, values)["Location"].startswith("https://evil")


def test_switches_are_not_reached_by_a_link(visitor: Client) -> None:
    assert visitor.get("/theme/?theme=dark").status_code == 405
    assert visitor.get("/language/?language=ja").status_code == 405


def test_the_theme_is_written_by_the_server_and_forgotten_again(visitor: Client) -> None:
    visitor.post("/theme/", {"theme": "dark", "next": "/"})
    assert opened(visitor, "/").one("html")["data-theme"] == "dark"
    visitor.post("/theme/", {"theme": "pink", "next": "/"})
    assert "data-theme" not in opened(visitor, "/").one("html")


def test_the_current_section_is_marked(aiko: User) -> None:
    page = opened(signed_in(aiko), "/contact/")
    marked = [a["href"] for a in page.all("a", aria_current="page")]
    assert marked == ["/contact/"]


def test_a_customer_without_payment_method_sees_the_banner(aiko: User) -> None:
    page = "One thing is missing:"
    assert page not in signed_in(aiko).get("/contact/").content.decode()
    aiko.link.has_payment_method = False
    aiko.link.save()
    assert page in signed_in(aiko).get("/contact/").content.decode()


def test_the_shell_asks_the_database_nothing_before_it_is_read(
    rf: RequestFactory, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        shell = Shell(rf.get("/"))
        assert shell.theme == ""


def test_a_visitors_page_of_words_needs_no_query(visitor: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        visitor.get("/terms/")


def test_signed_in_pages_are_kept_by_no_cache(aiko: User, visitor: Client) -> None:
    assert "no-store" in signed_in(aiko).get("/contact/")["Cache-Control"]
    assert "no-store" not in visitor.get("/contact/").get("Cache-Control", "")


def test_the_style_guide_exists_in_the_demo_only(visitor: Client, settings: Any) -> None:
    settings.DEBUG, settings.DEMO = False, False
    assert visitor.get("/styleguide/").status_code == 404
    settings.DEMO = True
    page = visitor.get("/styleguide/").content.decode()
    shown = {path.stem for path in (BASE / "templates/components").glob("_*.html")}
    assert len(shown) > 20
    for name in (
        "board",
        "line timetable",
        "steps",
        "tasks",
        "notice",
        "banner",
        "empty",
        "sum",
        "facts",
        "qr",
        "chart",
    ):
        assert f'class="{name.split()[0]}' in page, name


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("language", ["en", "ja"])
def test_nothing_inline_on_any_page_and_the_policy_on_all(
    language: str, visitor: Client, aiko: User, settings: Any
) -> None:
    settings.DEMO = True
    seen = 0
    for client in (visitor, signed_in(aiko)):
        client.cookies["language"] = language
        for path in [*addresses().values(), "/no-such-page/"]:
            answer = client.get(path)
            assert "default-src 'none'" in answer["Content-Security-Policy"], path
            assert "unsafe" not in answer["Content-Security-Policy"]
            if is_html(answer):
                seen += 1
                assert inline_code(answer.content.decode()) == [], path
    assert seen > 30


def test_every_icon_is_in_the_sprite() -> None:
    sprite = set(re.findall(r'<symbol id="(\w+)"', (BASE / "static/icons.svg").read_text()))
    templates = "".join(path.read_text() for path in (BASE / "templates").rglob("*.html"))
    used = set(re.findall(r"""{% icon "(\w+)""", templates)) | set(re.findall(r'icon_name="(\w+)"', templates))
    assert used <= sprite


# --- pages that say what failed


@pytest.mark.parametrize(("path", "status"), [("/no-such-page/", 404), ("/plans/<script>/", 404)])
def test_a_missing_page_says_so_without_echo(visitor: Client, path: str, status: int) -> None:
    answer = visitor.get(path)
    assert answer.status_code == status
    assert "<script>/" not in answer.content.decode()
    assert len(Tags(answer.content.decode()).all("h1")) == 1


def test_error_pages_need_no_query_and_name_the_reference(rf: RequestFactory, django_assert_num_queries: Any) -> None:
    from integrations.correlation import bound

    request = rf.get("/")
    with django_assert_num_queries(0), bound("reference-1234"):
        for answer, status in (
            (views.server_error(request), 500),
            (views.forbidden(request, PermissionError()), 403),
            (views.bad_request(request, ValueError()), 400),
        ):
            assert answer.status_code == status
            assert "reference-1234" in answer.content.decode()


def test_a_crash_shows_the_reference_of_the_answer(visitor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash() -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(views, "families", crash)
    visitor.raise_request_exception = False
    answer = visitor.get("/")
    page = answer.content.decode()
    assert answer.status_code == 500
    assert answer["X-Request-ID"] in page
    assert "secret detail" not in page
    assert "default-src 'none'" in answer["Content-Security-Policy"]


def test_a_form_without_token_gets_our_page(settings: Any) -> None:
    settings.CSRF_FAILURE_VIEW = "portal.views.csrf_failure"
    answer = Client(enforce_csrf_checks=True).post("/theme/", {"theme": "dark"})
    assert answer.status_code == 403
    assert "This form lay open too long" in answer.content.decode()


# --- the reference of a request


def test_each_answer_has_its_own_reference(visitor: Client) -> None:
    first, second = (visitor.get("/health/live")["X-Request-ID"] for _ in range(2))
    assert re.fullmatch(r"[0-9a-f-]{36}", first)
    assert first != second


@pytest.mark.parametrize(
    ("behind_proxy", "given", "kept"),
    [
        (True, "from-the-proxy-1", True),
        (False, "from-a-browser-1", False),
        (True, "short", False),
        (True, "bad id; drop", False),
        (True, "x" * 65, False),
        (True, "line\nbreak-abc", False),
    ],
)
def test_a_reference_is_taken_from_a_trusted_proxy_only(
    visitor: Client, settings: Any, behind_proxy: bool, given: str, kept: bool
) -> None:
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if behind_proxy else None
    answer = visitor.get("/health/live", headers={"X-Request-ID": given})
    assert (answer["X-Request-ID"] == given) is kept
