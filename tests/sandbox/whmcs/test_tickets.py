"""Tickets: whmcs-wire §3.6."""

import base64
import json
from typing import Any

import pytest

from sandbox.whmcs.install import Whmcs
from tests.sandbox.whmcs.conftest import WhmcsCall
from tests.sandbox.whmcs.php_arrays import packed

QUESTION = {"deptid": 1, "subject": "No signal", "message": "Since this morning."}
GUEST = {"name": "Emi", "email": "emi@example.jp"}


def files(*named: tuple[str, bytes]) -> str:
    """`attachments` as a client encodes them."""
    listed = [{"name": name, "data": base64.b64encode(content).decode()} for name, content in named]
    return base64.b64encode(json.dumps(listed).encode()).decode()


@pytest.fixture
def ticket(call: WhmcsCall, aiko: int) -> int:
    return int(call("OpenTicket", QUESTION, clientid=aiko, noemail=1)["id"])


def listed(call: WhmcsCall, **form: Any) -> list[str]:
    rows = call("GetTickets", **form)["tickets"]["ticket"]
    return [row["id"] for row in rows]


@pytest.mark.parametrize(
    ("form", "message"),
    [
        (QUESTION | {"clientid": 9}, "Client ID Not Found"),
        (QUESTION | {"clientid": 1, "userid": 9}, "The system cannot find the provided user ID."),
        (QUESTION | {"clientid": 1, "contactid": 9}, "Contact ID Not Found"),
        (QUESTION, "Name and email address are required if not a client"),
        (QUESTION | {"name": "Emi"}, "Name and email address are required if not a client"),
        (QUESTION | {"clientid": 1, "deptid": 9}, "Department ID not found"),
        (QUESTION | {"clientid": 1, "subject": ""}, "Subject is required"),
        (QUESTION | {"clientid": 1, "message": ""}, "Message is required"),
        (QUESTION | {"clientid": 1, "serviceid": 9}, "Service ID Not Found"),
        (QUESTION | {"clientid": 1, "domainid": 9}, "Domain ID Not Found"),
        (QUESTION | GUEST | {"email": "emi"}, "Email Address Invalid"),
        (QUESTION | {"clientid": 1, "created": "yesterday"}, "Invalid Date Format"),
        (QUESTION | {"clientid": 1, "created": "9999-12-31T23:59:59-14:00"}, "Invalid Date Format"),
        (QUESTION | {"clientid": 1, "created": "2999-01-01"}, "Ticket creation date cannot be in the future"),
    ],
)
def test_a_ticket_that_cannot_be_opened(
    call: WhmcsCall, whmcs: Whmcs, aiko: int, form: dict[str, Any], message: str
) -> None:
    assert call("OpenTicket", form)["message"] == message
    assert len(whmcs.tickets) == 0


def test_a_ticket_has_a_number_for_people_and_a_key(call: WhmcsCall, ticket: int) -> None:
    found = call("GetTicket", ticketid=ticket)
    assert (len(found["tid"]), found["tid"].isdecimal(), len(found["c"])) == (6, True, 8)
    assert call("GetTicket", ticketnum=found["tid"])["ticketid"] == str(ticket)
    assert call("GetTicket", ticketid=9)["message"] == "Ticket ID Not Found"


def test_the_opening_message_is_reply_nought_and_notes_are_shown(call: WhmcsCall, aiko: int, ticket: int) -> None:
    call("AddTicketReply", ticketid=ticket, message="Please restart it.", adminusername="admin")
    call("AddTicketReply", ticketid=ticket, message="It works.", clientid=aiko)
    call("AddTicketNote", ticketid=ticket, message="an old router")
    found = call("GetTicket", ticketid=ticket)
    replies = found["replies"]["reply"]
    assert [(each["replyid"], each["message"]) for each in replies] == [
        ("0", "Since this morning."),
        ("1", "Please restart it."),
        ("2", "It works."),
    ]
    assert [each["requestor_type"] for each in replies] == ["Owner", "Operator", "Owner"]
    assert (replies[0]["name"], replies[0]["requestor_email"], replies[1]["admin"]) == (
        "Aiko Tanaka",
        "aiko@example.jp",
        "Sandbox Admin",
    )
    assert [note["message"] for note in found["notes"]["note"]] == ["an old router"]
    assert call("GetTicketNotes", ticketid=ticket)["totalresults"] == 1
    backwards = call("GetTicket", ticketid=ticket, repliessort="DESC")["replies"]["reply"]
    assert [each["replyid"] for each in backwards] == ["2", "1", "0"]


@pytest.mark.parametrize(
    ("reply", "status"),
    [
        ({"clientid": 1}, "Customer-Reply"),
        (GUEST, "Customer-Reply"),
        ({"adminusername": "admin"}, "Answered"),
        ({"adminusername": "admin", "status": "on hold"}, "On Hold"),
    ],
)
def test_a_reply_moves_the_ticket(call: WhmcsCall, ticket: int, reply: dict[str, Any], status: str) -> None:
    assert call("AddTicketReply", reply, ticketid=ticket, message="x") == {"result": "success"}
    assert call("GetTicket", ticketid=ticket)["status"] == status


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        ({"ticketid": 9, "clientid": 1, "message": "x"}, "Ticket ID not found"),
        ({"clientid": 9, "message": "x"}, "Client ID Not Found"),
        ({"message": "x"}, "Name and email address are required if not a client"),
        ({"clientid": 1}, "Message is required"),
        (GUEST | {"email": "e", "message": "x"}, "Email Address Invalid"),
        ({"clientid": 1, "message": "x", "status": "Lost"}, "Invalid Ticket Status"),
        ({"clientid": 1, "message": "x", "created": "2999-01-01"}, "Reply creation date cannot be in the future"),
    ],
)
def test_a_reply_that_cannot_be_made(
    call: WhmcsCall, whmcs: Whmcs, ticket: int, reply: dict[str, Any], message: str
) -> None:
    assert call("AddTicketReply", {"ticketid": ticket} | reply)["message"] == message
    assert len(whmcs.ticket_replies) == 0


def test_lists_leave_out_other_departments_unless_told(call: WhmcsCall, aiko: int, ticket: int) -> None:
    other = call("OpenTicket", QUESTION | {"deptid": 2}, clientid=aiko)["id"]
    assert listed(call) == [str(ticket)]
    assert sorted(listed(call, ignore_dept_assignments=1)) == [str(ticket), other]
    assert sorted(listed(call, ignore_dept_assignments="false")) == [str(ticket), other], "a word is true for PHP"
    assert call("GetTickets")["totalresults"] == "1"


def test_tickets_are_found_by_client_address_status_subject_and_department(
    call: WhmcsCall, aiko: int, ticket: int
) -> None:
    guest = call("OpenTicket", QUESTION | GUEST | {"subject": "Invoice"}, priority="high")["id"]
    call("UpdateTicket", ticketid=guest, status="closed", flag=1)
    assert listed(call, clientid=aiko) == [str(ticket)]
    assert listed(call, email="EMI@example.jp") == [guest]
    assert listed(call, subject="invo") == [guest]
    assert listed(call, status="Closed") == [guest]
    assert listed(call, status="Awaiting Reply") == listed(call, status="All Active Tickets") == [str(ticket)]
    assert listed(call, status="My Flagged Tickets") == []
    call("UpdateTicket", ticketid=guest, status="In Progress")
    assert listed(call, status="My Flagged Tickets", deptid=1) == [guest]
    assert listed(call, clientid=99) == listed(call, deptid=2, ignore_dept_assignments=1) == []


def test_a_moment_of_another_time_zone_is_kept_in_the_servers(call: WhmcsCall, aiko: int) -> None:
    made = call("OpenTicket", QUESTION, clientid=aiko, created="2026-01-01T00:30:00+00:00")
    assert call("GetTicket", ticketid=made["id"])["date"] == "2026-01-01 09:30:00"


def test_files_come_back_byte_for_byte(call: WhmcsCall, aiko: int) -> None:
    photo = bytes(range(256))
    made = call("OpenTicket", QUESTION, clientid=aiko, attachments=files(("a.txt", b"x"), ("写真.png", photo)))
    opening = call("GetTicket", ticketid=made["id"])["replies"]["reply"][0]
    assert opening["attachments"] == [{"filename": "a.txt", "index": 0}, {"filename": "写真.png", "index": 1}]
    found = call("GetTicketAttachment", relatedid=made["id"], type="ticket", index=1)
    assert (found["filename"], base64.b64decode(found["data"])) == ("写真.png", photo)


def test_a_message_without_files_has_a_list_in_a_list(call: WhmcsCall, ticket: int) -> None:
    assert call("GetTicket", ticketid=ticket)["replies"]["reply"][0]["attachments"] == [[]]


@pytest.mark.parametrize(
    "broken",
    [
        "x",
        "W10=x",
        base64.b64encode(b'{"a":1}').decode(),
        base64.b64encode(b"7").decode(),
        base64.b64encode(b'[{"name":"a"}]').decode(),
    ],
)
def test_files_that_cannot_be_read_count_as_not_sent(call: WhmcsCall, aiko: int, broken: str) -> None:
    made = call("OpenTicket", QUESTION, clientid=aiko, attachments=broken)
    assert (
        call("GetTicketAttachment", relatedid=made["id"], type="ticket", index=0)["message"] == "No Attachments Found"
    )


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({}, "Related ID Required"),
        ({"relatedid": 1, "type": "mail"}, "Invalid Type. Must be one of ticket, reply, note"),
        ({"relatedid": 9, "type": "reply"}, "Related ID Not Found"),
        ({"relatedid": 1, "type": "ticket"}, "Attachment Index Required"),
        ({"relatedid": 1, "type": "ticket", "index": 7}, "Invalid Attachment Index"),
    ],
)
def test_a_file_that_cannot_be_found(call: WhmcsCall, aiko: int, form: dict[str, Any], message: str) -> None:
    call("OpenTicket", QUESTION, clientid=aiko, attachments=files(("a.txt", b"x")))
    assert call("GetTicketAttachment", form)["message"] == message


def test_a_ticket_changes_in_every_field(call: WhmcsCall, aiko: int, ticket: int) -> None:
    changes = {"subject": "Slow", "priority": "high", "cc": "b@example.jp", "deptid": 2, "message": "New", "flag": 3}
    assert call("UpdateTicket", changes, ticketid=ticket)["ticketid"] == str(ticket)
    found = call("GetTicket", ticketid=ticket)
    assert (found["subject"], found["priority"], found["cc"], found["deptname"]) == (
        "Slow",
        "High",
        "b@example.jp",
        "Billing",
    )
    assert (found["replies"]["reply"][0]["message"], found["flag"]) == ("New", "3")
    call("UpdateTicket", ticketid=ticket, removeFlag=1)
    assert call("GetTicket", ticketid=ticket)["flag"] == "0"


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"ticketid": 9}, "Ticket ID Not Found"),
        ({"deptid": 9}, "Department ID Not Found"),
        ({"priority": "urgent"}, "Invalid Ticket Priority. Valid priorities are: Low,Medium,High"),
        (
            {"status": "Lost"},
            "Invalid Ticket Status. Valid statuses are: Open,Answered,Customer-Reply,Closed,On Hold,In Progress",
        ),
        ({"created": "soon"}, "Invalid Date Format"),
    ],
)
def test_a_change_that_cannot_be(call: WhmcsCall, ticket: int, form: dict[str, Any], message: str) -> None:
    before = call("GetTicket", ticketid=ticket)
    assert call("UpdateTicket", {"ticketid": ticket, "subject": "Slow"} | form)["message"] == message
    assert call("GetTicket", ticketid=ticket) == before


def test_custom_fields_of_a_ticket_are_kept_by_id(call: WhmcsCall, whmcs: Whmcs, ticket: int) -> None:
    call("UpdateTicket", ticketid=ticket, customfields=packed({3: "router 7"}))
    kept = whmcs.tickets.get(ticket)
    assert kept
    assert kept.customfields == {"3": "router 7"}


def test_tickets_merge_into_one_with_all_that_was_said(call: WhmcsCall, aiko: int, ticket: int) -> None:
    other = call("OpenTicket", QUESTION | {"message": "Also here."}, clientid=aiko, attachments=files(("a.txt", b"x")))[
        "id"
    ]
    call("AddTicketReply", ticketid=other, message="Still.", clientid=aiko)
    call("MergeTicket", ticketid=ticket, mergeticketids=f"{other},", newsubject="Both")
    found = call("GetTicket", ticketid=ticket)
    assert {each["message"] for each in found["replies"]["reply"]} == {"Since this morning.", "Also here.", "Still."}
    moved = next(each for each in found["replies"]["reply"] if each["message"] == "Also here.")
    assert call("GetTicketAttachment", relatedid=moved["replyid"], type="reply", index=0)["filename"] == "a.txt"
    assert (found["subject"], listed(call)) == ("Both", [str(ticket)])


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"mergeticketids": "1"}, "Ticket ID Required"),
        ({"ticketid": 9, "mergeticketids": "1"}, "Ticket ID Invalid"),
        ({"ticketid": 1}, "Merge Ticket IDs Required"),
        ({"ticketid": 1, "mergeticketids": "1,8,9"}, "Invalid Merge Ticket IDs: 1, 8, 9"),
    ],
)
def test_tickets_that_cannot_be_merged(call: WhmcsCall, ticket: int, form: dict[str, Any], message: str) -> None:
    assert call("MergeTicket", form)["message"] == message


def test_what_is_deleted_is_gone_with_its_files(call: WhmcsCall, whmcs: Whmcs, aiko: int, ticket: int) -> None:
    call("AddTicketReply", ticketid=ticket, message="x", clientid=aiko, attachments=files(("a", b"1")))
    call("AddTicketReply", ticketid=ticket, message="y", clientid=aiko, attachments=files(("b", b"2")))
    call("AddTicketNote", ticketid=ticket, message="z", attachments=files(("c", b"3")))
    call("AddTicketNote", ticketid=ticket, message="w")
    assert call("DeleteTicketReply", ticketid=ticket, replyid=1) == {"result": "success"}
    assert call("DeleteTicketNote", noteid=1) == {"result": "success"}
    assert (len(whmcs.ticket_replies), len(whmcs.ticket_notes), len(whmcs.attachments)) == (1, 1, 1)
    assert call("DeleteTicket", ticketid=ticket) == {"result": "success"}
    assert (len(whmcs.tickets), len(whmcs.ticket_replies), len(whmcs.ticket_notes), len(whmcs.attachments)) == (
        0,
        0,
        0,
        0,
    )


@pytest.mark.parametrize(
    ("action", "form", "message"),
    [
        ("DeleteTicket", {"ticketid": 9}, "Ticket ID not found"),
        ("DeleteTicketNote", {"noteid": 9}, "Note ID Not Found"),
        ("DeleteTicketReply", {"replyid": 1}, "Ticket ID Required"),
        ("DeleteTicketReply", {"ticketid": 1}, "Reply ID Required"),
        ("DeleteTicketReply", {"ticketid": 9, "replyid": 1}, "Ticket ID Not Found"),
        ("DeleteTicketReply", {"ticketid": 1, "replyid": 9}, "Reply ID Not Found"),
        ("UpdateTicketReply", {"message": "x"}, "Reply ID Required"),
        ("UpdateTicketReply", {"replyid": 1}, "Message is Required"),
        ("UpdateTicketReply", {"replyid": 9, "message": "x"}, "Reply ID Not Found"),
        ("AddTicketNote", {"ticketid": 9, "message": "x"}, "Ticket ID not found"),
        ("AddTicketNote", {"ticketid": 1}, "Message is required"),
    ],
)
def test_what_is_not_there_cannot_be_changed(
    call: WhmcsCall, ticket: int, action: str, form: dict[str, Any], message: str
) -> None:
    assert call(action, form)["message"] == message


def test_a_reply_is_corrected(call: WhmcsCall, aiko: int, ticket: int) -> None:
    call("AddTicketReply", ticketid=ticket, message="It wroks.", clientid=aiko)
    assert call("UpdateTicketReply", replyid=1, message="It works.")["replyid"] == "1"
    assert call("GetTicket", ticketid=ticket)["replies"]["reply"][1]["message"] == "It works."


def test_departments_statuses_and_counts_tell_how_much_work_there_is(call: WhmcsCall, aiko: int, ticket: int) -> None:
    call("OpenTicket", QUESTION | {"deptid": 2}, clientid=aiko)
    call("AddTicketReply", ticketid=ticket, message="x", adminusername="admin")
    (shown,) = call("GetSupportDepartments")["departments"]["department"]
    assert (shown["name"], shown["awaitingreply"], shown["opentickets"]) == ("Customer Support", "0", "1")
    assert call("GetSupportDepartments", ignore_dept_assignments=1)["totalresults"] == 2
    counts = {row["title"]: row["count"] for row in call("GetSupportStatuses")["statuses"]["status"]}
    assert (counts["Open"], counts["Answered"]) == (1, 1)
    counts = {row["title"]: row["count"] for row in call("GetSupportStatuses", deptid=2)["statuses"]["status"]}
    assert (counts["Open"], counts["Answered"]) == (1, 0)
    mine = call("GetTicketCounts", includeCountsByStatus=1)
    assert (mine["filteredDepartments"], mine["allActive"], mine["awaitingReply"]) == ([1], 1, 0)
    assert mine["status"]["customerreply"] == {"title": "Customer-Reply", "count": 0}


def test_mails_go_out_unless_told(call: WhmcsCall, whmcs: Whmcs, aiko: int) -> None:
    opened = call("OpenTicket", QUESTION, clientid=aiko)
    call("OpenTicket", QUESTION, clientid=aiko, noemail="false")
    call("AddTicketReply", ticketid=opened["id"], message="x", adminusername="admin")
    call("AddTicketReply", ticketid=opened["id"], message="x", adminusername="admin", noemail=1)
    call("AddTicketReply", ticketid=opened["id"], message="x", clientid=aiko)
    subjects = [each.subject for each in whmcs.mailbox.newest_first("aiko@example.jp")]
    assert subjects == ["Support Ticket Response", "New Support Ticket Opened"]
