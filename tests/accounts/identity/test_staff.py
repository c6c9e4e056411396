"""Staff and identity papers: who may open one, what it leaves behind, what the copy carries."""

import itertools
import json
import os
import subprocess
import sys
from io import BytesIO
from typing import Any
from uuid import uuid4

import pikepdf
import pytest
import time_machine
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image, ImageChops

from accounts.identity import opening, storage, watermark
from accounts.models import IdentityCheck, IdentityDocument, User
from audit.models import AuditEntry
from notifications.models import Email
from tests.accounts.identity.sent_in import Scan, State, add_paper, fresh, papers, photo
from tests.environment import placeholders
from tests.people import Staff, make_staff, signed_in

pytestmark = pytest.mark.django_db
LIST = "/admin/accounts/identitycheck/"
REASON = "Case 00001027"


@pytest.fixture
def check(aiko: User) -> IdentityCheck:
    return papers(aiko, state=State.PENDING)


@pytest.fixture
def lead() -> Staff:
    return make_staff("lena@example.jp", group="CS lead")


def address(document: IdentityDocument) -> str:
    return reverse("admin:accounts_identitydocument_open", args=[document.check_of_id, document.pk])


def front(check: IdentityCheck) -> IdentityDocument:
    return check.documents.get(side="front")


def opened(staff: Staff, document: IdentityDocument, reason: str = REASON) -> Any:
    return signed_in(staff.user).post(address(document), {"reason": reason})


def entries() -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action="identity_document.opened"))


# --- who


def test_to_everybody_else_the_page_does_not_exist(
    check: IdentityCheck, aiko: User, ben: User, cs_carol: Staff
) -> None:
    operator = make_staff("gus@example.jp", group="Operator")
    nobody = make_staff("fay@example.jp", group="")
    everybody = [Client(), *(signed_in(user) for user in (aiko, ben, cs_carol.user, operator.user, nobody.user))]
    there, nowhere = address(front(check)), address(IdentityDocument(pk=uuid4(), check_of=check))
    for client, path, method in itertools.product(
        everybody, (there, nowhere), ("get", "head", "post", "put", "delete")
    ):
        refused = 405 if method in {"put", "delete"} else 404  # those two everywhere, whether there is a page or not
        assert getattr(client, method)(path, {"reason": REASON}).status_code == refused, (method, path)
    assert entries() == []


def test_a_lead_without_a_second_factor_sets_one_up_first(check: IdentityCheck) -> None:
    answer = opened(make_staff("dan@example.jp", with_totp=False, group="CS lead"), front(check))
    assert (answer.status_code, answer["Location"]) == (302, reverse("mfa_activate_totp"))
    assert entries() == []


def test_who_loses_the_permission_loses_it_at_once(check: IdentityCheck, lead: Staff) -> None:
    client = signed_in(lead.user)
    assert client.get(address(front(check))).status_code == 200
    lead.user.groups.clear()
    assert client.get(address(front(check))).status_code == 404


def test_papers_of_another_check_and_drafts_are_not_there(check: IdentityCheck, ben: User, lead: Staff) -> None:
    draft = papers(ben, state=State.DRAFT)
    elsewhere = reverse("admin:accounts_identitydocument_open", args=[draft.pk, front(check).pk])
    client = signed_in(lead.user)
    for path in (elsewhere, address(front(draft))):
        assert client.post(path, {"reason": REASON}).status_code == 404
    assert entries() == []


# --- how


@pytest.mark.parametrize("reason", ["", "   "])
def test_without_a_reason_nothing_opens(check: IdentityCheck, lead: Staff, reason: str) -> None:
    answer = opened(lead, front(check), reason)
    assert answer.status_code == 400
    assert "Give a reason" in answer.content.decode()
    assert entries() == []


def test_reading_the_page_shows_nothing_of_the_paper(check: IdentityCheck, lead: Staff) -> None:
    answer = signed_in(lead.user).get(address(front(check)))
    assert answer["Content-Type"].startswith("text/html")
    assert entries() == []


def test_opening_leaves_who_when_what_and_why(check: IdentityCheck, lead: Staff) -> None:
    before = timezone.now()
    assert opened(lead, front(check)).status_code == 200
    (entry,) = entries()
    assert (entry.actor_id, entry.user_id, entry.reason) == (lead.user.pk, check.user_id, REASON)
    assert entry.subject == f"identity_document:{front(check).pk}"
    assert before <= entry.at <= timezone.now()


def test_what_was_written_down_can_be_changed_by_nobody(check: IdentityCheck, lead: Staff) -> None:
    opened(lead, front(check))
    for change in ("UPDATE audit_auditentry SET reason = 'none'", "DELETE FROM audit_auditentry"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)
    assert len(entries()) == 1


def test_the_entry_stands_even_if_the_file_cannot_be_read(check: IdentityCheck, lead: Staff) -> None:
    storage.remove(front(check).pk)
    answer = opened(lead, front(check))
    assert answer.status_code == 500
    assert "cannot be read" in answer.content.decode()
    assert len(entries()) == 1


def test_the_copy_is_a_download_that_nothing_may_run_or_keep(check: IdentityCheck, lead: Staff) -> None:
    answer = opened(lead, front(check))
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["Content-Disposition"].startswith('attachment; filename="front-')
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"].split("; ")
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert "no-store" in answer["Cache-Control"]


# --- the mark


@pytest.mark.parametrize("size", [(600, 380), (400, 1200)])
@pytest.mark.parametrize("colour", ["white", "black", "gray"])
def test_every_part_of_a_photo_is_marked(check: IdentityCheck, lead: Staff, colour: str, size: tuple[int, int]) -> None:
    document = add_paper(check, "other", photo(colour, size))
    got = Image.open(BytesIO(opened(lead, document).content))
    plain = Image.open(BytesIO(photo(colour, size)))
    assert got.size == plain.size
    assert got.format == "JPEG"
    difference = ImageChops.difference(got.convert("RGB"), plain)
    third = [n // 3 for n in got.size]
    for column, row in itertools.product(range(3), repeat=2):
        corner = (column * third[0], row * third[1])
        part = difference.crop((*corner, corner[0] + third[0], corner[1] + third[1]))
        # JPEG alone changes a plain colour by two or three.
        assert max(part.tobytes()) > 25, (column, row)


def test_the_mark_says_who_and_when(check: IdentityCheck, lead: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    words: list[str] = []
    real = watermark.stamp

    def overhear(content: bytes, content_type: str, said: str) -> bytes:
        words.append(said)
        return real(content, content_type, said)

    monkeypatch.setattr(watermark, "stamp", overhear)
    opened(lead, front(check))
    assert words[0].startswith("Mori Carol lena@example.jp 20")
    with time_machine.travel("2026-11-21T15:30:00Z", tick=False):
        assert opening.marking(lead.user) == "Mori Carol lena@example.jp 2026-11-22 00:30 JST"
        lead.user.given_name = "花子"
        assert opening.marking(lead.user) == "lena@example.jp 2026-11-22 00:30 JST"


def test_two_members_of_staff_get_different_copies() -> None:
    copies = {watermark.stamp(photo(), "image/jpeg", words) for words in ("lena 00:30", "lena 00:31", "mona 00:30")}
    assert len(copies) == 3


def test_a_pdf_on_which_nothing_can_be_written_is_given_to_nobody(check: IdentityCheck, lead: Staff) -> None:
    answer = opened(lead, add_paper(check, "other", b"%PDF-1.7 and nothing else", "application/pdf"))
    assert answer.status_code == 500
    assert "cannot be read" in answer.content.decode()


def test_the_libraries_for_papers_are_loaded_by_nobody_who_opens_none() -> None:
    """The subscriber and the workers have no use for their memory."""
    loaded = "print([name for name in ('pikepdf', 'PIL') if name in sys.modules])"
    code = f"import django, sys; django.setup(); import portal.urls; {loaded}"
    values = {**os.environ, **placeholders(), "DJANGO_SETTINGS_MODULE": "portal.settings"}
    ran = subprocess.run([sys.executable, "-c", code], env=values, capture_output=True, text=True, check=True)
    assert ran.stdout.split("\n")[-2] == "[]"


def test_a_pdf_is_marked_on_every_page_and_still_reads(check: IdentityCheck, lead: Staff) -> None:
    made = BytesIO()
    with pikepdf.new() as two_pages:
        for _page in range(2):
            two_pages.add_blank_page()
        two_pages.pages[0].contents_add(b"0 0 1 rg 0 0 99 99 re f")
        two_pages.save(made)
    document = add_paper(check, "other", made.getvalue(), "application/pdf")

    answer = opened(lead, document)

    assert answer["Content-Type"] == "application/pdf"
    with pikepdf.open(BytesIO(answer.content)) as marked:
        texts = [b"".join(part.read_bytes() for part in page.Contents) for page in marked.pages]
        assert len(texts) == 2
        assert all(b"lena@example.jp" in text for text in texts)
        assert b"0 0 1 rg" in texts[0]
        for page in marked.pages:
            pikepdf.parse_content_stream(page)


def test_a_page_keeps_the_fonts_of_the_node_above_it() -> None:
    made = BytesIO()
    with pikepdf.new() as inheriting:
        inheriting.add_blank_page()
        del inheriting.pages[0].obj.Resources
        inheriting.Root.Pages.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=pikepdf.Dictionary()))
        inheriting.save(made)
    with pikepdf.open(BytesIO(watermark.stamp(made.getvalue(), "application/pdf", "lena"))) as marked:
        fonts = marked.pages[0].obj.Resources.Font
        assert pikepdf.Name.F1 in fonts
        assert len(fonts.keys()) == 2


def test_words_cannot_break_out_of_a_pdf() -> None:
    made = BytesIO()
    with pikepdf.new() as one_page:
        one_page.add_blank_page()
        one_page.save(made)
    marked = watermark.stamp(made.getvalue(), "application/pdf", r"a) Tj ET \( (b")
    with pikepdf.open(BytesIO(marked)) as document:
        shown = [
            each.operands[0] for each in pikepdf.parse_content_stream(document.pages[0]) if str(each.operator) == "Tj"
        ]
    assert {str(words) for words in shown} == {r"a) Tj ET \( (b"}


# --- what cannot be opened


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"deleted_at": "2026-11-21T00:00Z"}, "was deleted"),
        ({"scan": Scan.INFECTED}, "found something"),
    ],
)
def test_what_is_closed_stays_closed(check: IdentityCheck, lead: Staff, values: dict[str, Any], said: str) -> None:
    IdentityDocument.objects.filter(check_of=check).update(**values)
    answer = opened(lead, front(check))
    assert answer.status_code == 409
    assert said in answer.content.decode()
    assert entries() == []


@pytest.mark.parametrize("scan", [Scan.UNSCANNED, Scan.WAITING])
def test_with_a_scanner_only_clean_papers_open(check: IdentityCheck, lead: Staff, settings: Any, scan: str) -> None:
    settings.CLAMD_SOCKET = "/nowhere/clamd.ctl"
    IdentityDocument.objects.filter(check_of=check).update(scan=scan)
    answer = opened(lead, front(check))
    assert answer.status_code == 409
    assert "has not seen this file yet" in answer.content.decode()
    assert entries() == []


# --- the list and what may be decided


def test_the_list_shows_what_was_sent_in_and_agents_read_it(check: IdentityCheck, ben: User, cs_carol: Staff) -> None:
    papers(ben, state=State.DRAFT)
    client = signed_in(cs_carol.user)
    page = client.get(LIST).content.decode()
    assert "aiko@example.jp" in page
    assert "ben@example.jp" not in page
    one = client.get(f"{LIST}{check.pk}/change/").content.decode()
    assert "not scanned" in one
    assert address(front(check)) not in one


def test_leads_find_the_way_to_each_paper(check: IdentityCheck, lead: Staff) -> None:
    page = signed_in(lead.user).get(f"{LIST}{check.pk}/change/").content.decode()
    assert all(address(document) in page for document in check.documents.all())


def decide(staff: Staff, action: str, check: IdentityCheck, reason: str = REASON) -> str:
    data = {"action": action, ACTION_CHECKBOX_NAME: [check.pk], "reason": reason}
    return signed_in(staff.user).post(LIST, data, follow=True).content.decode()


def test_a_legal_hold_is_set_and_ended_with_a_reason(check: IdentityCheck, lead: Staff) -> None:
    assert "Give a reason" in decide(lead, "hold_papers", check, " ")
    assert fresh(check).legal_hold is False
    decide(lead, "hold_papers", check)
    assert fresh(check).legal_hold is True
    decide(lead, "end_hold", check)
    assert fresh(check).legal_hold is False
    wanted = ["identity.hold_papers", "identity.end_hold"]
    assert list(AuditEntry.objects.filter(action__in=wanted).order_by("pk").values_list("action", "reason")) == [
        (name, REASON) for name in wanted
    ]


def test_agents_decide_nothing(check: IdentityCheck, cs_carol: Staff) -> None:
    decide(cs_carol, "hold_papers", check)
    assert fresh(check).legal_hold is False


def test_papers_on_their_way_are_tried_again_now(aiko: User, lead: Staff) -> None:
    check = papers(aiko)
    IdentityCheck.objects.update(next_try_at="2099-01-01T00:00Z")
    decide(lead, "try_again", check)
    due = fresh(check).next_try_at
    assert due is not None
    assert due <= timezone.now()


def test_a_customer_is_asked_for_new_papers_while_these_cannot_be_sent(aiko: User, lead: Staff) -> None:
    check = papers(aiko)
    decide(lead, "ask_again", check)
    assert (fresh(check).state, Email.objects.get().template) == (State.REJECTED, "identity_rejected")
    assert "not on their way" in decide(lead, "ask_again", check)
    assert Email.objects.count() == 1


def test_the_trail_names_papers_and_people_by_number(check: IdentityCheck, lead: Staff) -> None:
    opened(lead, front(check))
    kept = json.dumps(list(AuditEntry.objects.values()), default=str)
    assert "aiko@example.jp" not in kept
    assert "lena@example.jp" not in kept
