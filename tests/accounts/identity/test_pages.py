"""A customer sends papers in, in the browser."""

import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import django_rq
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.identity import drafts, papers, storage
from accounts.identity.papers import Paper
from accounts.identity.uploading import LARGEST, READ_TO_THE_END
from accounts.models import CustomerLink, IdentityCheck, IdentityDocument, User
from audit.models import AuditEntry
from tests.accounts.identity import files
from tests.accounts.identity.conftest import make_check, make_document
from tests.people import make_customer, signed_in
from tests.portal.pages import Tags

pytestmark = pytest.mark.django_db(transaction=True)
State = IdentityCheck.State
JPEG = files.picture()


@pytest.fixture
def browser(aiko: User) -> Client:
    return signed_in(aiko)


@pytest.fixture
def taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is uploaded is a paper: for tests of what the pages do with one."""
    monkeypatch.setattr(papers, "cleaned", lambda data: Paper("image/jpeg", data))


def begin(browser: Client, paper: str = "residence_card") -> Any:
    return browser.post(reverse("identity_begin"), {"paper": paper})


def upload(browser: Client, side: str, data: bytes) -> Any:
    return browser.post(reverse("identity_upload"), {"side": side, "file": SimpleUploadedFile("photo.jpg", data)})


def send(browser: Client, **more: str) -> Any:
    return browser.post(reverse("identity_send"), {"consent": "on"} | more)


def text_of(answer: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", answer.content.decode()).split())


def page(browser: Client) -> str:
    return text_of(browser.get(reverse("identity")))


# --- the whole way


def test_two_photos_are_received_kept_and_sent(browser: Client, aiko: User, papers: Path) -> None:
    assert "Which document do you send?" in page(browser)
    begin(browser)
    assert upload(browser, "front", files.photo()).status_code == 302
    assert "Received: Front side" in page(browser)
    assert "Send documents" not in page(browser)
    upload(browser, "back", files.picture("PNG"))
    assert "Send documents" in page(browser)
    send(browser)

    check = IdentityCheck.objects.get(user=aiko)
    assert (check.state, check.consent_version) == (State.SUBMITTED, drafts.PURPOSE)
    kept = {each.side: storage.read(each) for each in check.documents.all()}
    assert {side: data[:3] for side, data in kept.items()} == {"front": b"\xff\xd8\xff", "back": b"\xff\xd8\xff"}
    assert files.SECRET.encode() not in b"".join(kept.values())
    jobs = django_rq.get_queue("cases").jobs
    assert [(job.func_name, job.args) for job in jobs] == [("accounts.identity.jobs.submit_papers", [check.pk])]
    assert AuditEntry.objects.filter(action="identity_papers_sent", user_id=aiko.pk).count() == 1
    assert "We are checking your documents" in page(browser)


def test_sent_is_sent(browser: Client, taken_as_it_is: None) -> None:
    begin(browser, "my_number_card")
    upload(browser, "front", JPEG)
    send(browser)
    document = IdentityDocument.objects.get()
    for again in (send(browser), begin(browser), upload(browser, "front", JPEG)):
        assert (again.status_code, again["Location"]) == (302, reverse("identity"))
    assert browser.post(reverse("identity_remove", args=[document.pk])).status_code == 404
    assert storage.read(document) == JPEG
    assert len(django_rq.get_queue("cases").jobs) == 1


def test_what_is_missing_is_named(browser: Client, taken_as_it_is: None) -> None:
    begin(browser, "passport")
    upload(browser, "front", JPEG)
    answer = send(browser)
    assert answer.status_code == 422
    assert "Still missing: Proof of your address" in text_of(answer)
    assert IdentityCheck.objects.get().state == State.DRAFT


def test_without_consent_nothing_is_sent(browser: Client, taken_as_it_is: None) -> None:
    begin(browser, "my_number_card")
    upload(browser, "front", JPEG)
    answer = send(browser, consent="")
    assert answer.status_code == 422
    assert "Agree to the use of your documents" in text_of(answer)
    assert Tags(answer.content.decode()).one("a", href="#id_consent") is not None
    assert IdentityCheck.objects.get().state == State.DRAFT


# --- files


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (files.HEIC, "choose Settings, Camera, Formats, Most Compatible"),
        (files.SVG, "This is an SVG drawing"),
        (files.GIF_AND_SCRIPT, "This is a GIF picture"),
        (files.PAGE, "This is a web page"),
        (b"", "This file is empty"),
        (JPEG[:500], "damaged or incomplete"),
        (JPEG + bytes(LARGEST), "larger than 10 MB"),
    ],
    ids=["heic", "svg", "gif", "html", "empty", "truncated", "large"],
)
def test_a_file_we_do_not_take_is_answered_beside_its_field(
    browser: Client, papers: Path, data: bytes, sentence: str
) -> None:
    begin(browser)
    answer = upload(browser, "back", data)
    assert answer.status_code == 422
    tags = Tags(answer.content.decode())
    assert tags.one("a", href="#back_file")
    assert "back_file_error" in tags.one("input", id="back_file")["aria-describedby"]
    assert text_of(answer).count(sentence) == 2  # in the summary and beside the field
    assert not IdentityDocument.objects.exists()
    assert not papers.exists()


def test_a_body_beyond_all_measure_is_not_even_read(browser: Client) -> None:
    begin(browser)
    body = (
        b'--b\r\nContent-Disposition: form-data; name="side"\r\n\r\nfront\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="x.jpg"\r\n\r\n'
    ) + bytes(300_000)
    answer = browser.generic(
        "POST",
        reverse("identity_upload"),
        body,
        "multipart/form-data; boundary=b",
        CONTENT_LENGTH=str(READ_TO_THE_END + 1),
    )
    assert answer.status_code == 422
    assert "larger than 10 MB" in text_of(answer)


def with_name(browser: Client, name: str) -> Any:
    """As a browser that was tampered with sends it; Django's own test client tidies names up."""
    body = (
        b'--b\r\nContent-Disposition: form-data; name="side"\r\n\r\nfront\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="' + name.encode() + b'"\r\n\r\n'
    )
    return browser.generic(
        "POST", reverse("identity_upload"), body + JPEG + b"\r\n--b--\r\n", "multipart/form-data; boundary=b"
    )


@pytest.mark.parametrize(
    "name",
    [
        "../../x.py",
        "..\\..\\x.py",
        "/etc/cron.d/x",
        "a\0b.jpg",
        "CON",
        "x" * 300 + ".jpg",
        "<script>.svg",
        "日本語.heic",
    ],
)
def test_the_name_of_a_file_is_neither_used_nor_kept(
    browser: Client, papers: Path, taken_as_it_is: None, name: str
) -> None:
    begin(browser)
    assert with_name(browser, name).status_code == 302
    document = IdentityDocument.objects.get()
    assert [path.name for path in papers.parent.rglob("*") if path.is_file()] == [str(document.pk)]
    assert name not in page(browser)


def test_nothing_is_written_to_a_disk_in_plain(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Django by itself would write a file of more than 2.5 MB there before any view sees it."""

    def forbidden(*_args: Any) -> None:
        raise AssertionError("a temporary file")

    monkeypatch.setattr(TemporaryUploadedFile, "__init__", forbidden)
    begin(browser)
    answer = upload(browser, "front", JPEG + bytes(4_000_000))
    assert answer.status_code == 302
    assert IdentityDocument.objects.get().size < len(JPEG) * 2


def test_no_other_page_takes_files(browser: Client) -> None:
    answer = browser.post(reverse("address"), {"city": "Minato", "file": SimpleUploadedFile("x.jpg", JPEG)})
    assert answer.status_code == 422
    assert not answer.wsgi_request.FILES
    assert answer.wsgi_request.POST["city"] == "Minato"


def test_a_new_front_takes_the_place_of_the_old_one(browser: Client, papers: Path, taken_as_it_is: None) -> None:
    begin(browser)
    upload(browser, "front", JPEG)
    upload(browser, "front", b"another")
    assert storage.read(IdentityDocument.objects.get()) == b"another"
    assert len(list(papers.iterdir())) == 1


def test_a_file_can_be_removed_again(browser: Client, papers: Path, taken_as_it_is: None) -> None:
    begin(browser)
    upload(browser, "front", JPEG)
    browser.post(reverse("identity_remove", args=[IdentityDocument.objects.get().pk]))
    assert not IdentityDocument.objects.exists()
    assert list(papers.iterdir()) == []


def test_six_files_are_the_most(browser: Client, papers: Path, aiko: User, taken_as_it_is: None) -> None:
    begin(browser)
    for _ in range(6):
        make_document(IdentityCheck.objects.get(), side="other")
    answer = upload(browser, "front", JPEG)
    assert answer.status_code == 422
    assert "six files already" in text_of(answer)
    assert (IdentityDocument.objects.count(), len(list(papers.iterdir()))) == (6, 6)


def test_the_back_of_a_my_number_card_is_never_taken(browser: Client, papers: Path, taken_as_it_is: None) -> None:
    begin(browser, "my_number_card")
    assert "Never send us the back of your My Number card" in page(browser)
    for side in ("back", "other", "nonsense"):
        assert upload(browser, side, JPEG).status_code == 302
    assert not IdentityDocument.objects.exists()
    assert not papers.exists()


def test_another_document_begins_anew(browser: Client, papers: Path, taken_as_it_is: None) -> None:
    begin(browser)
    upload(browser, "back", JPEG)
    begin(browser, "my_number_card")
    assert IdentityCheck.objects.get().paper == "my_number_card"
    assert not IdentityDocument.objects.exists()
    assert list(papers.iterdir()) == []


def test_ten_files_a_minute_are_enough(browser: Client, aiko: User) -> None:
    begin(browser)
    codes = [upload(browser, "front", files.GIF_AND_SCRIPT).status_code for _ in range(10)]
    assert codes == [422] * 10
    answer = upload(browser, "front", JPEG)
    assert answer.status_code == 429
    assert "many files in a short time" in text_of(answer)
    assert not IdentityDocument.objects.exists()


# --- whose they are


def test_somebody_elses_file_does_not_exist(browser: Client, ben: User) -> None:
    theirs = make_document(make_check(ben))
    begin(browser)
    first, second = (browser.post(reverse("identity_remove", args=[key])) for key in (theirs.pk, uuid4()))
    assert first.status_code == second.status_code == 404
    assert storage.read(theirs) == b"a paper"


def test_no_address_shows_a_file(browser: Client, aiko: User) -> None:
    key = make_document(make_check(aiko)).pk
    for path in (f"/media/{key}", f"/static/{key}", f"/account/identity/files/{key}/", f"/account/identity/{key}"):
        assert browser.get(path).status_code == 404
    assert str(settings.IDENTITY_DIR) not in page(browser)


# --- where the customer stands


def set_status(user: User, status: str, **more: Any) -> None:
    CustomerLink.objects.filter(user=user).update(identity_status=status, **more)


@pytest.mark.parametrize(
    ("status", "heading"),
    [
        ("", "Confirm who you are"),
        ("Pending", "We are checking your documents"),
        ("Verified", "Your identity is confirmed"),
        ("Rejected", "Confirm who you are"),
    ],
)
def test_the_page_says_what_salesforce_says(browser: Client, aiko: User, status: str, heading: str) -> None:
    set_status(aiko, status)
    assert heading in text_of(browser.get(reverse("identity")))
    accepts = begin(browser).status_code == 302 and IdentityCheck.objects.exists()
    assert accepts == (heading == "Confirm who you are")


def test_who_was_refused_reads_why_and_sends_anew(browser: Client, aiko: User) -> None:
    set_status(aiko, "Rejected")
    why = "The lower edge was cut off. 下端が切れています。"
    check = make_check(aiko, state=State.REJECTED, submitted_at="2026-11-19T08:00Z", rejection_message=why)
    assert why in page(browser)
    begin(browser)
    assert IdentityCheck.objects.filter(user=aiko, state=State.DRAFT).exclude(pk=check.pk).count() == 1


def test_a_provisional_customer_is_told_to_wait(ben: User, taken_as_it_is: None) -> None:
    CustomerLink.objects.filter(user=ben).update(state="provisional", whmcs_client_id=None, identity_status="Verified")
    browser = signed_in(ben)
    assert "cannot take documents before that is done" in page(browser)
    begin(browser)
    upload(browser, "front", JPEG)
    assert not IdentityCheck.objects.exists()


def test_who_is_no_customer_yet_is_sent_to_the_setting_up(db: None) -> None:
    answer = signed_in(make_customer(linked=False)).get(reverse("identity"))
    assert answer["Location"].startswith(reverse("account_setup"))


def test_the_way_back_is_kept(browser: Client, taken_as_it_is: None) -> None:
    answer = browser.post(reverse("identity_begin"), {"paper": "my_number_card", "next": "/checkout/"})
    assert answer["Location"] == f"{reverse('identity')}?next=%2Fcheckout%2F"
    upload(browser, "front", JPEG)
    assert "Continue" in text_of(browser.get(send(browser, next="/checkout/")["Location"]))


def test_plans_for_which_photos_do_not_suffice_have_a_page(visitor: Client) -> None:
    assert "no longer accepts photos" in text_of(visitor.get(reverse("identity_by_chip")))


def test_the_page_costs_a_fixed_number_of_queries(browser: Client, aiko: User, django_assert_num_queries: Any) -> None:
    begin(browser)
    check = IdentityCheck.objects.get()
    browser.get(reverse("identity"))
    with django_assert_num_queries(20, exact=False) as first:
        browser.get(reverse("identity"))
    for _ in range(3):
        make_document(check, side="other")
    with django_assert_num_queries(len(first)):
        browser.get(reverse("identity"))


# --- drafts that were left


def test_a_draft_nobody_touched_is_deleted_with_its_files(aiko: User, ben: User, papers: Path) -> None:
    left, fresh = make_check(aiko), make_check(ben)
    make_document(left)
    kept = make_document(fresh)
    IdentityCheck.objects.filter(pk=left.pk).update(updated_at="2026-01-01T00:00Z")
    assert drafts.delete_left() == {"deleted": 1}
    assert [path.name for path in papers.iterdir()] == [str(kept.pk)]
    assert drafts.delete_left() == {"deleted": 0}


def test_papers_on_legal_hold_stay(aiko: User) -> None:
    check = make_check(aiko, legal_hold=True)
    IdentityCheck.objects.filter(pk=check.pk).update(updated_at="2026-01-01T00:00Z")
    assert drafts.delete_left() == {"deleted": 0}
