"""Who may sign in: passwords, locked users, and how often (salesforce-wire.md, section 2)."""

import hmac
from datetime import datetime, timedelta

from sandbox.salesforce.org import Org
from sandbox.store import Record

# No secret to anybody: they open a simulation, whose documents name them. Every user has these two.
PASSWORD = "sandbox-password-1"  # noqa: S105
SECURITY_TOKEN = "SandboxSecurityToken"  # noqa: S105
# The org's defaults.
MOST_FAILURES = 10
LOCKED_FOR = timedelta(minutes=15)
MOST_AN_HOUR = 3_600


class LoginRefused(Exception):
    """Why a login is refused."""


class WrongPassword(LoginRefused):
    """There is no such user with this password; which of the two is wrong is not told."""


class Inactive(LoginRefused):
    """The user was deactivated."""


class Locked(LoginRefused):
    """Too many wrong passwords in a row; it passes with time."""


class TooOften(LoginRefused):
    """The user signed in too often within the hour."""


class Logins:
    """Checks logins. Failures are kept on disk; how often somebody signed in is forgotten with the process."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._failures = org.store.table("login failures")
        self._hour = ""
        self._counts: dict[str, int] = {}

    def by_password(self, username: str, password: str) -> Record:
        """The user, given the password or the password with the security token behind it. Raises LoginRefused."""
        users = self._org.find("User", "Username", username)
        if not users:
            raise WrongPassword
        user = users[0]
        self.admit(user)
        right = any(_same(password, each) for each in (PASSWORD, PASSWORD + SECURITY_TOKEN))
        self._note(user, right)
        if not right:
            raise WrongPassword
        self.count(user)
        return user

    def admit(self, user: Record) -> None:
        """Raises LoginRefused when the user may not sign in by whatever means."""
        if not user["IsActive"]:
            raise Inactive
        failures = self._failures.get(user["Id"])
        if failures and failures["locked_until"] and self._now() < datetime.fromisoformat(failures["locked_until"]):
            raise Locked

    def count(self, user: Record) -> None:
        """Note that the user signs in. Raises TooOften."""
        hour = f"{self._now():%Y-%m-%d %H}"
        if hour != self._hour:
            self._hour, self._counts = hour, {}
        number = self._counts.get(user["Id"], 0) + 1
        if number > MOST_AN_HOUR:
            raise TooOften
        self._counts[user["Id"]] = number

    def _note(self, user: Record, right: bool) -> None:
        if right:
            self._failures.delete(user["Id"])
            return
        before = self._failures.get(user["Id"])
        number = (before["number"] if before and not before["locked_until"] else 0) + 1
        locked_until = (self._now() + LOCKED_FOR).isoformat() if number >= MOST_FAILURES else None
        self._failures.put(user["Id"], {"number": number, "locked_until": locked_until})

    def _now(self) -> datetime:
        return self._org.clock.now()


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), wanted.encode())
