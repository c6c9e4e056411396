"""The mail of a rejection leads back to the page of papers."""

import pytest

from accounts.identity import outcome
from notifications.models import Email
from notifications.rendering import render
from tests.accounts.identity.sent_in import State, papers
from tests.accounts.identity.test_outcome import told
from tests.people import make_customer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("language", "subject"),
    [("en", "Please send your identity documents again"), ("ja", "本人確認書類をもう一度お送りください")],
)
def test_the_mail_of_a_rejection_has_the_reason_and_the_way_on(language: str, subject: str) -> None:
    user = make_customer(language=language)
    check = papers(user, state=State.PENDING)
    outcome.follow(told(check, "Rejected", message="Name <b>differs</b> & is blurred."))
    mail = render(Email.objects.get())
    assert mail.subject == subject
    assert "http://portal.test/account/identity/" in mail.text
    assert "http://portal.test/account/identity/" in mail.html
    assert "Name <b>differs</b> & is blurred." in mail.text
    assert "Name &lt;b&gt;differs&lt;/b&gt; &amp; is blurred." in mail.html
