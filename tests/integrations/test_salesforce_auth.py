"""Signing in: against the sandbox's token endpoint, and against a far side that lies."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from integrations.errors import Misconfigured, OutsideError, Unavailable
from integrations.http import Caller
from integrations.salesforce.auth import Login, Token, TokenSource
from sandbox.authority import open_authority
from tests.integrations.conftest import Recorded
from tests.integrations.far_side import Behaviour, FarSide, answer, reset
from tests.sandbox_process import Sandbox

ORG = "00D58000000arpqEAA"


@dataclass
class Shelf:
    """A TokenStore in memory, shared by the threads of a test as the database is by processes."""

    token: Token | None = None
    saved: list[Token] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def load(self) -> Token | None:
        return self.token

    def save(self, token: Token) -> None:
        self.token = token
        self.saved.append(token)

    @contextmanager
    def lock(self) -> Iterator[None]:
        with self._lock:
            yield


@pytest.fixture
def login(sandbox: Sandbox) -> Login:
    urls = sandbox.urls
    return Login(
        token_url=f"{urls['salesforce_url']}/services/oauth2/token",
        audience="https://login.salesforce.com",
        client_id=urls["salesforce_client_id"],
        username=urls["salesforce_username"],
        private_key=Path(urls["salesforce_key"]).read_text(),
        instance_hosts=["localhost"],
    )


def source(login: Login, sandbox: Sandbox, shelf: Shelf | None = None) -> TokenSource:
    caller = Caller(system="salesforce", recorder=Recorded(), ca_bundle=sandbox.urls["ca"])
    return TokenSource(login=login, store=shelf or Shelf(), caller=caller)


def sign_ins(sandbox: Sandbox, after: int) -> int:
    return len(sandbox.ledger(system="salesforce", operation="token", after=after))


def newest(sandbox: Sandbox) -> int:
    return max((int(row["number"]) for row in sandbox.ledger()), default=0)


def test_a_token_says_where_and_whose_the_org_is(login: Login, sandbox: Sandbox) -> None:
    token = source(login, sandbox).token()
    assert token.instance_url == sandbox.urls["salesforce_url"]
    assert token.org_id.startswith("00D")
    assert len(token.org_id) == 18


def test_neither_token_nor_login_shows_itself(login: Login, sandbox: Sandbox) -> None:
    token = source(login, sandbox).token()
    assert token.access_token not in repr(token)
    assert "PRIVATE KEY" not in repr(login)


def test_one_sign_in_serves_threads_and_processes(login: Login, sandbox: Sandbox) -> None:
    shelf, before = Shelf(), newest(sandbox)
    sources = [source(login, sandbox, shelf) for _ in range(2)]
    start = threading.Barrier(8)

    def ask(number: int) -> str:
        start.wait()
        return sources[number % 2].token().access_token

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(8)))) == 1
    assert sign_ins(sandbox, before) == 1


def test_one_refresh_serves_all_who_hold_the_dead_token(login: Login, sandbox: Sandbox) -> None:
    shelf = Shelf(Token("dead", sandbox.urls["salesforce_url"], ORG))
    sources = [source(login, sandbox, shelf) for _ in range(2)]
    assert {each.token().access_token for each in sources} == {"dead"}
    before, start = newest(sandbox), threading.Barrier(8)

    def ask(number: int) -> str:
        start.wait()
        return sources[number % 2].refresh("dead").access_token

    with ThreadPoolExecutor(8) as pool:
        fresh = set(pool.map(ask, range(8)))
    assert len(fresh) == 1
    assert "dead" not in fresh
    assert sign_ins(sandbox, before) == 1


def test_a_newer_token_of_somebody_else_is_used(login: Login, sandbox: Sandbox) -> None:
    newer = Token("newer", sandbox.urls["salesforce_url"], ORG)
    shelf = Shelf()
    mine = source(login, sandbox, shelf)
    stale = mine.token().access_token
    before = newest(sandbox)
    shelf.save(newer)
    assert mine.refresh(stale) == newer
    assert mine.token() == newer
    assert sign_ins(sandbox, before) == 0


def test_a_stored_token_for_a_host_no_longer_allowed_is_not_used(login: Login, sandbox: Sandbox) -> None:
    shelf = Shelf(Token("old", "https://old-org.my.salesforce.com", ORG))
    assert source(login, sandbox, shelf).token().access_token != "old"


def test_the_assertion_lives_three_minutes_and_names_the_audience(caller: Caller, far: FarSide, login: Login) -> None:
    far.will(answer(_granted(far.url)))
    before = int(time.time())
    TokenSource(
        login=replace(login, token_url=far.url, audience="https://test.salesforce.com"), store=Shelf(), caller=caller
    ).token()
    form = dict(pair.split("=") for pair in far.requests[0].decode().rpartition("\r\n\r\n")[2].split("&"))
    public = load_pem_private_key(login.private_key.encode(), None).public_key()
    claims = jwt.decode(form["assertion"], public, algorithms=["RS256"], audience="https://test.salesforce.com")  # type: ignore[arg-type]
    assert before + 180 <= claims["exp"] <= int(time.time()) + 180
    assert (claims["iss"], claims["sub"]) == (login.client_id, login.username)


def refusal(login: Login, sandbox: Sandbox) -> OutsideError:
    with pytest.raises(OutsideError) as caught:
        source(login, sandbox).token()
    return caught.value


@pytest.mark.parametrize(
    ("wrong", "code", "named"),
    [
        ({"audience": "https://example.com"}, "audience", "SF_AUDIENCE"),
        ({"client_id": "3MVG9.nobody"}, "invalid_client_id", "SF_CLIENT_ID"),
        ({"username": "nobody@example.com"}, "not_approved", "permission set"),
        ({"username": "left.last.year@sonixnet.example"}, "user", "SF_USERNAME is inactive"),
        ({"instance_hosts": ["*.salesforce.com"]}, "instance_host", "SF_INSTANCE_HOSTS"),
    ],
)
def test_each_refusal_says_in_one_sentence_what_to_do(
    login: Login, sandbox: Sandbox, wrong: dict[str, str], code: str, named: str
) -> None:
    error = refusal(replace(login, **wrong), sandbox)
    assert (type(error), error.code) == (Misconfigured, code)
    assert named in error.text
    assert error.text.count(". ") == 0


def test_a_wrong_key_is_said(login: Login, sandbox: Sandbox, tmp_path: Path) -> None:
    another = open_authority(tmp_path).client_key.read_text()
    error = refusal(replace(login, private_key=another), sandbox)
    assert (type(error), error.code) == (Misconfigured, "assertion")
    assert "SF_PRIVATE_KEY_PATH" in error.text


def test_a_machine_whose_clock_is_an_hour_slow_is_told_to_check_it(
    login: Login, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_hour_ago = time.time() - 3600
    monkeypatch.setattr("integrations.salesforce.auth.time.time", lambda: an_hour_ago)
    error = refusal(login, sandbox)
    assert (type(error), error.code) == (Misconfigured, "assertion")
    assert "this machine's clock" in error.text


def test_an_address_that_is_no_token_endpoint_is_said(login: Login, sandbox: Sandbox) -> None:
    error = refusal(replace(login, token_url=f"{sandbox.urls['salesforce_url']}/nowhere"), sandbox)
    assert (type(error), error.code) == (Misconfigured, "redirect")


def _granted(url: str, **changes: object) -> bytes:
    identity = f"https://login.salesforce.com/id/{ORG}/0055j0000000001AAA"
    return json.dumps({"access_token": "00D58000000arpq!x", "instance_url": url, "id": identity} | changes).encode()


def asked(caller: Caller, far: FarSide, login: Login, behaviour: Behaviour) -> TokenSource:
    far.will(behaviour)
    return TokenSource(login=replace(login, token_url=f"{far.url}/token"), store=Shelf(), caller=caller)


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        (answer(b"<html>maintenance</html>", kind="text/html"), "bad_body"),
        (answer(b"<html/>", "503 Service Unavailable"), "http_503"),
        (answer(b'{"error":"unknown_error"}', "500 Internal Server Error"), "http_500"),
        (
            answer(b'{"error":"invalid_grant","error_description":"login rate exceeded"}', "400 Bad Request"),
            "login_rate",
        ),
        (reset, "reset"),
    ],
)
def test_what_passes_by_itself_is_no_misconfiguration(
    caller: Caller, far: FarSide, login: Login, behaviour: Behaviour, code: str
) -> None:
    with pytest.raises(Unavailable) as caught:
        asked(caller, far, login, behaviour).token()
    assert caught.value.code == code


@pytest.mark.parametrize(
    "instance",
    [
        "http://localhost",
        "https://169.254.169.254",
        "https://localhost.evil.example",
        "https://localhost@evil.example",
        "https://localhost/path",
        "ftp://localhost",
        "",
    ],
)
def test_a_token_for_a_foreign_host_is_refused(caller: Caller, far: FarSide, login: Login, instance: str) -> None:
    with pytest.raises(Misconfigured, match="SF_INSTANCE_HOSTS"):
        asked(caller, far, login, answer(_granted(instance))).token()


def test_the_org_is_known_by_the_token_too(caller: Caller, far: FarSide, login: Login) -> None:
    assert asked(caller, far, login, answer(_granted(far.url, id=""))).token().org_id == ORG


def test_an_unlisted_refusal_repeats_nothing_personal(caller: Caller, far: FarSide, login: Login) -> None:
    said = b'{"error":"invalid_grant","error_description":"strange thing about aiko@example.jp"}'
    with pytest.raises(Misconfigured) as caught:
        asked(caller, far, login, answer(said, "400 Bad Request")).token()
    assert "aiko" not in str(caught.value)
