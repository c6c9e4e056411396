"""What happens at the door that several apps have a part in."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from accounts.adapter import AccountAdapter
from catalog.eligibility import visits


class Entrance(AccountAdapter):
    """Sign-up and sign-in as accounts has them; whoever comes in brings along what they asked as a visitor."""

    def post_login(self, request: HttpRequest, user: Any, **about: Any) -> HttpResponse:
        visits.take_along(request, user)
        return super().post_login(request, user, **about)
