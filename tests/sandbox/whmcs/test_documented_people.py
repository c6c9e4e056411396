"""People, tickets and the system against the official reference: parameters, required ones, fields of answers."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import pytest

from sandbox.config import Config
from sandbox.whmcs import actions
from sandbox.whmcs.accounts.users import accept
from sandbox.whmcs.actions.documented import documented
from sandbox.whmcs.api import Call, answer
from sandbox.whmcs.php import parse_urlencoded
from sandbox.whmcs.support.records import Attachment
from sandbox.whmcs.system.records import ToDoItem
from sandbox.world import World
from tests.sandbox.whmcs import test_documented_commerce
from tests.sandbox.whmcs.conftest import CREDENTIALS
from tests.sandbox.whmcs.documentation import Seen, Watched, parameters_of
from tests.sandbox.whmcs.php_arrays import packed
from tests.sandbox.whmcs.test_accounts import BEN

FURTHER = {
    "LogActivity": {"userid"},  # the client's older name (8.5)
    "GetActivityLog": {"userid"},
    "UpdateContact": {"tax_id"},  # the reference has it for AddContact alone
}
REFUSED = {"AcceptQuote"}
"""There are no quotes."""
OUTSIDE = {"GetTickets": {"requestor_name", "requestor_type", "requestor_email", "owner_name"}}
"""Named at the top by the reference, and in the rows of its sample."""
TOLERANT = {
    ("EncryptPassword", "password2"),
    ("DecryptPassword", "password2"),
    ("UpdateAdminNotes", "notes"),
}
"""Nothing is refused without these; the reference lists no text for it."""

DAI = {"firstname": "Dai", "lastname": "Mori", "email": "dai@example.jp", "password2": "x"}
CARD = {"type": "RemoteCreditCard", "gateway_module_name": "stripe", "card_number": "4242424242424242"}
BANK = {"type": "BankAccount", "bank_code": "1", "bank_account": "2"}
OAUTH = {"grantType": "authorization_code", "scope": "openid", "name": "x"}
SCENARIO: list[tuple[str, dict[str, Any]]] = [
    ("AddClient", BEN | {"customfields": packed({12: "1"})}),
    ("AddUser", DAI),
    ("UpdateUser", {"user_id": 2, "language": "japanese"}),
    ("GetUsers", {"search": "d", "sorting": "ASC"}),
    ("GetPermissionsList", {}),
    ("CreateClientInvite", {"client_id": 1, "email": "dai@example.jp", "permissions": "orders"}),
    ("ACCEPT", {}),
    ("GetUserPermissions", {"user_id": 2, "client_id": 1}),
    ("UpdateUserPermissions", {"user_id": 2, "client_id": 1, "permissions": "orders"}),
    ("DeleteUserClient", {"user_id": 2, "client_id": 1}),
    ("ValidateLogin", {"email": "dai@example.jp", "password2": "x"}),
    ("ResetPassword", {"id": 2}),
    ("GetClients", {"search": "b", "status": "Active", "orderby": "id", "sorting": "ASC"}),
    ("GetClientsDetails", {"clientid": 1, "stats": 1}),
    ("GetClientsDetails", {"email": "ben@example.jp"}),
    (
        "UpdateClient",
        {"clientid": 1, "city": "Kobe", "paymentmethod": "stripe", "status": "Active", "clearcreditcard": 1},
    ),
    ("UpdateClient", {"clientemail": "ben@example.jp", "notes": "x"}),
    ("GetClientGroups", {}),
    ("AddClientNote", {"userid": 1, "notes": "x"}),
    ("AddContact", {"clientid": 1}),
    ("UpdateContact", {"contactid": 1}),
    ("GetContacts", {"userid": 1}),
    ("DeleteContact", {"contactid": 1}),
    ("AddPayMethod", CARD | {"clientid": 1, "card_expiry": "1140"}),
    ("AddPayMethod", BANK | {"clientid": 1}),
    ("GetPayMethods", {"clientid": 1, "paymethodid": 1}),
    ("UpdatePayMethod", {"clientid": 1, "paymethodid": 1, "card_expiry": "1241"}),
    ("UpdatePayMethod", {"clientid": 1, "paymethodid": 2, "bank_name": "x"}),
    ("DeletePayMethod", {"clientid": 1, "paymethodid": 2}),
    ("ORDER", {}),
    ("CreateSsoToken", {"client_id": 1, "user_id": 1, "destination": "clientarea:product_details", "service_id": 1}),
    ("CreateSsoToken", {"client_id": 1, "destination": "sso:custom_redirect", "sso_redirect_path": "x"}),
    ("OpenTicket", {"clientid": 1, "deptid": 1, "subject": "x", "message": "y", "serviceid": 1}),
    ("OpenTicket", {"name": "x", "email": "x@example.jp", "deptid": 1, "subject": "x", "message": "y"}),
    ("AddTicketReply", {"ticketid": 1, "message": "x", "clientid": 1}),
    ("AddTicketReply", {"ticketid": 1, "message": "x", "adminusername": "admin"}),
    ("AddTicketReply", {"ticketid": 1, "message": "x", "name": "x", "email": "x@example.jp"}),
    ("AddTicketNote", {"ticketid": 1, "message": "x"}),
    ("AddTicketNote", {"ticketnum": "TID", "message": "x"}),
    ("GetTickets", {"clientid": 1, "deptid": 1, "email": "", "status": "Answered", "subject": "x"}),
    ("GetTicket", {"ticketid": 1, "repliessort": "ASC"}),
    ("GetTicket", {"ticketnum": "TID"}),
    ("GetTicketNotes", {"ticketid": 1}),
    ("FILE", {}),
    ("GetTicketAttachment", {"relatedid": 2, "type": "ticket", "index": 0}),
    ("UpdateTicket", {"ticketid": 1, "markdown": 1, "preventClientClosure": 1, "created": "2026-01-01", "userid": 1}),
    ("UpdateTicketReply", {"replyid": 1, "message": "x", "markdown": 1, "created": "2026-01-01"}),
    ("DeleteTicketReply", {"ticketid": 1, "replyid": 1}),
    ("DeleteTicketNote", {"noteid": 1}),
    ("MergeTicket", {"ticketid": 1, "mergeticketids": "2"}),
    ("GetSupportDepartments", {}),
    ("GetSupportStatuses", {"deptid": 1}),
    ("GetTicketCounts", {}),
    ("DeleteTicket", {"ticketid": 1}),
    ("SendEmail", {"messagename": "Client Signup Email", "id": 1}),
    ("SendEmail", {"customtype": "general", "customsubject": "x", "custommessage": "y", "id": 1}),
    ("GetEmails", {"clientid": 1, "subject": "x", "date": "2026"}),
    ("GetEmailTemplates", {"type": "general"}),
    ("LogActivity", {"description": "x", "clientid": 1}),
    ("LogActivity", {"description": "x", "userid": 1}),
    ("GetActivityLog", {"userid": 1}),
    ("GetActivityLog", {"clientid": 1, "description": "x", "user": "admin", "ipaddress": "127.0.0.1", "date": ""}),
    ("TO DO", {}),
    ("GetToDoItems", {"status": "Incomplete"}),
    ("GetToDoItemStatuses", {}),
    ("UpdateToDoItem", {"itemid": 1, "adminid": 1, "status": "Pending"}),
    ("CreateOAuthCredential", OAUTH | {"serviceId": 1, "grantType": "single_sign_on"}),
    ("ListOAuthCredentials", {}),
    ("UpdateOAuthCredential", {"credentialId": 1, "resetSecret": 1, "serviceId": 1}),
    ("DeleteOAuthCredential", {"credentialId": 1}),
    ("EncryptPassword", {"password2": "x"}),
    ("DecryptPassword", {"password2": "x"}),
    ("WhmcsDetails", {}),
    ("GetAdminDetails", {}),
    ("GetAdminUsers", {}),
    ("GetStaffOnline", {}),
    ("GetHealthStatus", {}),
    ("GetAnnouncements", {}),
    ("GetConfigurationValue", {"setting": "Charset"}),
    ("UpdateAdminNotes", {"notes": "x"}),
    ("TriggerNotificationEvent", {"notification_identifier": "x", "title": "x", "message": "x"}),
    ("GetStats", {"timeline_days": 1}),
    ("CloseClient", {"clientid": 1}),
    ("DeleteClient", {"clientid": 1, "deleteusers": 1}),
]
ACTIONS = sorted({action for action, _ in SCENARIO if action.lower() in documented()})


class Undone(Exception):
    """Ends a call that was only tried."""


class Player:
    """Plays the scenario and remembers what each action asked for, answered, and could do without."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.seen: dict[str, Seen] = {}
        self.did_without: set[tuple[str, str]] = set()

    def play(self, action: str, fields: dict[str, Any]) -> None:
        if action.lower() not in documented():
            self._by_hand(action)
            return
        sent = {name: self._ticket_number() if value == "TID" else value for name, value in fields.items()}
        for name in documented()[action.lower()].required:
            self._leave_out(action, sent, name)
        self.seen.setdefault(action, Seen()).take(*self._call(action, sent))

    def _leave_out(self, action: str, fields: dict[str, Any], name: str) -> None:
        with suppress(Undone), self.world.whmcs.store.trial():
            _, payload = self._call(action, {key: value for key, value in fields.items() if key != name})
            if "message" not in payload:
                self.did_without.add((action, name))
            raise Undone

    def _call(self, action: str, fields: dict[str, Any]) -> tuple[Watched, dict[str, Any]]:
        form = Watched(parse_urlencoded(urlencode({**CREDENTIALS, "action": action, **fields}).encode()))
        payload, _ = answer(self.world.whmcs, Call(form, "127.0.0.1", ""))
        return form, payload

    def _by_hand(self, step: str) -> None:
        whmcs = self.world.whmcs
        if step == "ACCEPT":
            assert accept(whmcs, whmcs.invites.all()[0])
        if step == "ORDER":
            self._call("AddOrder", {"clientid": 1, "paymentmethod": "stripe", "pid[0]": 101})
        if step == "TO DO":
            whmcs.to_do_items.put(ToDoItem(whmcs.to_do_items.next_id(), whmcs.today(), "x"))
        if step == "FILE":
            whmcs.attachments.put(Attachment(whmcs.attachments.next_id(), "ticket:2", "a.txt", "eA=="))

    def _ticket_number(self) -> str:
        return self.world.whmcs.tickets.all()[0].tid


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Player]:
    world = World(Config(state=tmp_path_factory.mktemp("whmcs")))
    gateways = [{"module": name, "displayname": name} for name in ("stripe", "giro")]
    world.whmcs.configure(gateways=gateways, card_storage={"stripe": "remote", "giro": "bank"})
    player = Player(world)
    for action, fields in SCENARIO:
        player.play(action, fields)
    yield player
    world.close()


@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_asks_for_documented_parameters_and_for_all_it_does_not_declare_to_ignore(
    played: Player, action: str
) -> None:
    asked, known = played.seen[action].parameters(), parameters_of(action)
    assert asked - known == FURTHER.get(action, set())
    assert known - asked == actions.BY_NAME[action.lower()].ignores


@pytest.mark.parametrize("action", ACTIONS)
def test_a_complete_call_succeeds_with_every_documented_field(played: Player, action: str) -> None:
    assert played.seen[action].failures == []
    reference = documented()[action.lower()]
    told = played.seen[action].answered
    assert set(reference.response) - told - {"result"} == OUTSIDE.get(action, set())
    assert {"result", "status"} & told
    assert set(reference.sample) - told - {"result", "status"} == set()


def test_without_a_required_parameter_a_call_is_refused(played: Player) -> None:
    assert played.did_without == TOLERANT


def test_every_action_of_the_registry_is_held_against_the_reference() -> None:
    assert set(actions.BY_NAME) <= set(documented())
    tried = {*ACTIONS, *test_documented_commerce.ACTIONS, *REFUSED}
    assert {each.name for each in actions.BY_NAME.values()} == tried
