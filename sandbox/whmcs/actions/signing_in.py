"""ValidateLogin and ResetPassword (whmcs-wire §3.1): about users, never about clients."""

import secrets

from sandbox.whmcs import mails
from sandbox.whmcs.accounts import passwords, users
from sandbox.whmcs.accounts.addresses import is_email
from sandbox.whmcs.answers import Answer, Payload, Refused
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.php import PhpArray, text, to_int
from sandbox.whmcs.records import User


def validate_login(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Whether a user's address and password fit; `userid` is the user's id since 8.0 (§0 no. 4).

    Two-factor is told, not checked: with it there is no session token. It is the string "true" or "false", as in the
    official sample.
    """
    user = users.by_email(whmcs, text(form.get("email")))
    if user is None or not passwords.matches(text(form.get("password2")), user.password):
        raise Refused("Email or Password Invalid")
    session: Payload = {} if user.two_factor else {"passwordhash": secrets.token_hex(20)}
    answer = {"userid": user.id, **session, "twoFactorEnabled": "true" if user.two_factor else "false"}
    return Answer(answer, key=str(user.id))


def reset_password(whmcs: Whmcs, form: PhpArray) -> Answer:
    """Sends WHMCS's own mail to a user named by `id` or `email`. Not repeatable: each call mails again."""
    user = _wanted(whmcs, form)
    mails.deliver(whmcs, user.email, "Your login details", "To choose a new password, open the link in this mail.")
    return Answer(key=str(user.id), detail={"mails": ["Password Reset Validation"]})


def _wanted(whmcs: Whmcs, form: PhpArray) -> User:
    email = text(form.get("email"))
    if not text(form.get("id")) and not email:
        raise Refused("Please enter the email address or provide the id")
    if email and not is_email(email):
        raise Refused("Please provide a valid email address")
    user = users.by_email(whmcs, email) if email else whmcs.users.get(to_int(form.get("id")))
    if user is None:
        raise Refused("User Not Found")
    return user
