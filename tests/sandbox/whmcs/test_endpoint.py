"""The endpoint on the wire: encodings of the request, forms of the answer, quirk profiles, and a restart.

whmcs-wire §1, §1.3, §1.5; acceptance checks 3 to 5 of §7.
"""

from pathlib import Path
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest
from starlette.types import ASGIApp

from sandbox.config import Config
from sandbox.whmcs import api
from sandbox.whmcs.posting import POST_MAX_SIZE
from sandbox.world import World
from tests.sandbox.whmcs.asgi import send
from tests.sandbox.whmcs.conftest import CREDENTIALS
from tests.sandbox.whmcs.wire import AIKO, FORM, URL, post


def test_a_body_in_chunks_is_put_together(app: ASGIApp) -> None:
    body = urlencode({**CREDENTIALS, **AIKO}).encode()
    pieces = [body[at : at + 7] for at in range(0, len(body), 7)]
    assert send(app, "POST", URL, headers={"content-type": FORM}, chunks=pieces).json()["clientid"] == "1"


def test_a_multipart_body_is_read_with_its_brackets(app: ASGIApp) -> None:
    post(app, AIKO)
    fields = {
        **CREDENTIALS,
        "action": "addorder",
        "clientid": "1",
        "paymentmethod": "stripe",
        "pid[0]": "101",
        "pid[1]": "191",
    }
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    ]
    body = "".join([*parts, "--b--\r\n"]).encode()
    reply = send(app, "POST", URL, headers={"content-type": "multipart/form-data; boundary=b"}, chunks=[body])
    assert reply.json()["serviceids"] == "1,2"


def test_of_a_multipart_body_the_fields_count_and_the_files_do_not(app: ASGIApp) -> None:
    fields = {**CREDENTIALS, "action": "GetOrderStatuses"}
    parts = [f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n' for name, text in fields.items()]
    file = '--b\r\nContent-Disposition: form-data; name="secret"; filename="x"\r\n\r\nnot it\r\n--b--\r\n'
    headers = {"content-type": "multipart/form-data; boundary=b"}
    assert send(app, "POST", URL, headers=headers, chunks=["".join([*parts, file]).encode()]).status == 200


@pytest.mark.parametrize("charset", ["utf-7", "punycode", "unicode_escape", "no-such"])
def test_the_charset_of_a_multipart_body_changes_nothing(app: ASGIApp, charset: str) -> None:
    parts = [f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n' for name, text in AIKO.items()]
    access = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n' for name, text in CREDENTIALS.items()
    ]
    headers = {"content-type": f"multipart/form-data; charset={charset}; boundary=b"}
    send(app, "POST", URL, headers=headers, chunks=["".join([*access, *parts, "--b--\r\n"]).encode()])
    assert post(app, {"action": "GetClientsDetails", "clientid": 1}).json()["firstname"] == "愛子"


def test_a_body_beyond_post_max_size_arrives_empty(app: ASGIApp) -> None:
    body = urlencode({**CREDENTIALS, "action": "GetOrderStatuses", "notes": "x" * POST_MAX_SIZE}).encode()
    half = len(body) // 2
    reply = send(app, "POST", URL, headers={"content-type": FORM}, chunks=[body[:half], body[half:]])
    assert (reply.status, reply.text) == (403, "result=error;message=Authentication Failed;")


@pytest.mark.parametrize("content_type", ["application/json", "", "multipart/form-data"])
def test_another_body_leaves_the_form_empty(app: ASGIApp, content_type: str) -> None:
    reply = send(app, "POST", URL, headers={"content-type": content_type}, chunks=[b'{"action":"GetProducts"}'])
    assert (reply.status, reply.text) == (403, "result=error;message=Authentication Failed;")


def test_answers_are_escaped_as_php_does(app: ASGIApp) -> None:
    post(app, AIKO)
    assert rb"\u611b\u5b50" in post(app, {"action": "GetClientsDetails", "clientid": "1"}).body
    assert rb"http:\/\/localhost:8480\/whmcs\/" in post(app, {"action": "CreateSsoToken", "client_id": "1"}).body


def test_without_a_response_type_the_answer_is_not_json(app: ASGIApp) -> None:
    reply = post(app, {"action": "GetCurrencies", "responsetype": ""})
    assert reply.text.startswith("result=success;totalresults=1;currencies[currency][0][id]=1;")


def test_xml_repeats_an_element_for_each_row(app: ASGIApp) -> None:
    text = post(app, {"action": "GetOrderStatuses", "responsetype": "xml"}).text
    assert text.count("<status>") == 4
    assert '<whmcsapi version="8.' in text
    assert "<action>getorderstatuses</action>" in text


def test_xml_stays_well_formed_whatever_a_name_holds(app: ASGIApp) -> None:
    post(app, {**AIKO, "lastname": "a\x00\x0b<&>\ufffe株"})
    text = post(app, {"action": "GetClients", "responsetype": "xml"}).text
    assert ElementTree.fromstring(text).findtext("clients/client/lastname") == "a<&>株"


def test_refusals_of_access_are_403_and_business_errors_200(app: ASGIApp) -> None:
    assert post(app, {"action": "GetInvoice", "invoiceid": "5"}).status == 200
    assert post(app, {"action": "GetInvoice", "secret": "wrong"}).status == 403


def test_get_is_refused_until_it_is_switched_on(app: ASGIApp, world: World) -> None:
    url = f"{URL}?{urlencode({**CREDENTIALS, 'action': 'GetCurrencies'})}"
    assert send(app, "GET", url).status == 403
    world.whmcs.configure(accept_get=True)
    assert send(app, "GET", url).json()["result"] == "success"


def test_the_access_key_counts_in_the_query_string_too(app: ASGIApp, world: World) -> None:
    world.whmcs.configure(ip_allow_list=["192.0.2.1"])
    body = urlencode({**CREDENTIALS, "action": "GetCurrencies"}).encode()
    reply = send(app, "POST", f"{URL}?accesskey=sandbox-access-key", headers={"content-type": FORM}, chunks=[body])
    assert reply.status == 200


def test_unknown_parameters_are_ignored_and_the_correlation_id_is_noted(app: ASGIApp, world: World) -> None:
    post(app, {"action": "getcurrencies", "colour": "blue"}, **{"X-Correlation-ID": "c-42"})
    (entry,) = world.ledger.read("whmcs", "GetCurrencies")
    assert entry.correlation_id == "c-42"


def test_a_restart_keeps_everything(tmp_path: Path) -> None:
    config = Config(state=tmp_path / "kept")
    first = World(config)
    post(api.app(first), AIKO)
    post(api.app(first), {"action": "AddOrder", "clientid": "1", "paymentmethod": "stripe", "pid": "101"})
    first.whmcs.configure(stores_notes=True)
    first.close()
    second = World(config)
    app = api.app(second)
    assert post(app, {"action": "AcceptOrder", "orderid": "1"}).json() == {"result": "success"}
    made = post(app, {"action": "AddOrder", "clientid": "1", "paymentmethod": "stripe", "pid": "101"}).json()
    assert (made["orderid"], made["serviceids"], made["invoiceid"]) == ("2", "2", "2")
    assert second.whmcs.settings.stores_notes
    second.close()


def test_an_action_that_fails_changes_nothing_and_notes_nothing(app: ASGIApp, world: World) -> None:
    post(app, {**AIKO, "email": "not an address"})
    assert (len(world.whmcs.clients), len(world.whmcs.users)) == (0, 0)
    assert world.ledger.read("whmcs") == []
