"""What is stored about a customer, one module per subject."""

from accounts.models.journey import SignupJourney
from accounts.models.people import CustomerLink, User, UserManager

__all__ = ["CustomerLink", "SignupJourney", "User", "UserManager"]
