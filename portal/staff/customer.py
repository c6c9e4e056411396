"""A customer's page for staff, with what other apps know of them."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from accounts.admin import UserAdmin
from accounts.models import User
from catalog.eligibility import places
from catalog.eligibility.admin import case_link
from catalog.models import EligibilityRequest
from journal.admin import ReadOnly


class AddressChecks(ReadOnly, admin.TabularInline):  # type: ignore[type-arg]
    """The customer's requests to check an address, newest first."""

    model = EligibilityRequest
    fields = readonly_fields = ("created_at", "address", "state", "offered", "answer", "case", "error_code")
    extra = 0

    @admin.display(description=_("address"))
    def address(self, request: EligibilityRequest) -> str:
        return places.one_line(request)

    @admin.display(description=_("case"))
    def case(self, request: EligibilityRequest) -> str:
        return case_link(request)


admin.site.unregister(User)


@admin.register(User)
class CustomerAdmin(UserAdmin):
    """People who sign in, as accounts shows them."""

    inlines = (AddressChecks,)
