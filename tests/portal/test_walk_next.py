"""`?next=` leads to a page of ours or nowhere, at every address (security.md §3)."""

import itertools
from urllib.parse import urljoin, urlsplit

import pytest
from django.test import Client

from accounts.models import User
from tests.people import make_user, signed_in
from tests.portal.pages import Tags, is_html

pytestmark = pytest.mark.django_db(transaction=True)
SIGN_IN = "/account/login/"
EVIL = ("//evil.example", "https://evil.example/", "/\\evil.example", "https:evil.example", "\t//evil.example")


@pytest.mark.parametrize("path", [SIGN_IN, "/account/signup/", "/account/setup/", "/language/", "/theme/"])
def test_no_address_leads_to_another_site(aiko: User, path: str) -> None:
    for client, url in itertools.product((Client(), signed_in(aiko)), EVIL):
        for answer in (client.get(path, {"next": url}), client.post(path, {"next": url, "theme": "dark"})):
            to = urlsplit(urljoin(f"http://testserver{path}", answer.get("Location", "").replace("\\", "/").strip()))
            assert (to.hostname, "evil" in to.path) == ("testserver", False)
            if is_html(answer):
                leading = [
                    tag["href"] for tag in Tags(answer.content.decode()).all("a") if "evil" in tag.get("href", "")
                ]
                assert [link for link in leading if not link.startswith("/")] == []


@pytest.mark.parametrize("url", ["order", "portal.views.home", "no-such-name"])
def test_the_way_back_is_an_address_and_never_the_name_of_a_view(visitor: Client, url: str) -> None:
    assert visitor.post("/theme/", {"theme": "dark", "next": url})["Location"] == url
    assert signed_in(make_user("new@example.jp")).get("/account/setup/", {"next": url})["Location"] == url
