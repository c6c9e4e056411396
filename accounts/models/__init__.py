"""What is stored about a customer, one module per subject."""

from accounts.models.address import Address, ProfileSync
from accounts.models.closing import ClosingRequest
from accounts.models.identity import IdentityCheck, IdentityDocument
from accounts.models.journey import SignupJourney
from accounts.models.people import CustomerLink, User, UserManager

__all__ = [
    "Address",
    "ClosingRequest",
    "CustomerLink",
    "IdentityCheck",
    "IdentityDocument",
    "ProfileSync",
    "SignupJourney",
    "User",
    "UserManager",
]
