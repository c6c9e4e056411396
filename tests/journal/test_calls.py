"""A call that must not be made twice is not, whatever happens to its answer."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from integrations.errors import Misconfigured, Rejected, Unavailable, UnknownOutcome
from journal import calls
from journal.models import RemoteCall

pytestmark = pytest.mark.django_db(transaction=True)
SUBJECT, OPERATION = "order:801000000000001AAA", "whmcs.AddOrder"


class Outside:
    """What exists there, what was sent, and how the next call goes."""

    def __init__(self) -> None:
        self.there: list[int] = []
        self.sent = 0
        self.lose_answer = self.do_nothing = False
        self.refuse: Exception | None = None

    def look_up(self) -> int | None:
        return self.there[0] if self.there else None

    def add(self) -> int:
        self.sent += 1
        if self.refuse:
            raise self.refuse
        if not self.do_nothing:
            self.there.append(100 + self.sent)
        if self.lose_answer:
            raise UnknownOutcome("whmcs", "AddOrder", "timeout", "no answer")
        return self.there[0]


@pytest.fixture
def outside() -> Outside:
    return Outside()


def once(outside: Outside, owner: str = "attempt:1", fence: Callable[[], None] = lambda: None, **other: Any) -> int:
    made: int = calls.once(
        subject=SUBJECT,
        operation=OPERATION,
        owner=owner,
        deadline_s=1,
        look_up=other.get("look_up", outside.look_up),
        call=outside.add,
        fence=fence,
        record=lambda made: {"id": made},
        asked={"fingerprint": "abc"},
    )
    return made


def the_call() -> RemoteCall:
    return RemoteCall.objects.latest("id")


def pass_quarantine() -> None:
    past = timezone.now() - timedelta(seconds=1)
    RemoteCall.objects.update(deadline_at=past, quarantine_until=past)


def test_what_exists_already_is_adopted_and_nothing_is_sent(outside: Outside) -> None:
    outside.there = [7]
    assert once(outside) == 7
    assert outside.sent == 0


def test_the_intent_is_committed_with_both_times_before_the_call(outside: Outside, settings: Any) -> None:
    seen: list[RemoteCall] = []
    once(outside, fence=lambda: seen.append(the_call()))
    (intent,) = seen
    assert intent.state == "INTENT"
    assert intent.result == {"fingerprint": "abc"}
    assert intent.quarantine_until - intent.deadline_at == timedelta(seconds=settings.QUARANTINE_S)


def test_an_answer_closes_the_call_with_its_result(outside: Outside) -> None:
    assert once(outside) == 101
    assert (the_call().state, the_call().result) == ("DONE", {"fingerprint": "abc", "id": 101})


def test_a_lost_answer_whose_work_was_done_is_adopted(outside: Outside) -> None:
    outside.lose_answer = True
    assert once(outside) == 101
    assert (outside.sent, the_call().state) == (1, "DONE")


def test_a_lost_answer_that_cannot_be_found_stays_unknown(outside: Outside) -> None:
    outside.lose_answer = outside.do_nothing = True
    with pytest.raises(calls.OutcomeUnknown):
        once(outside)
    assert (the_call().state, the_call().error_code) == ("UNKNOWN", "timeout")


def test_a_lost_answer_with_a_failing_look_up_stays_unknown(outside: Outside) -> None:
    outside.lose_answer = True
    answers = iter([lambda: None])

    def look_up() -> int | None:
        answer = next(answers, None)
        if answer is None:
            raise Unavailable("whmcs", "GetClientsProducts", "refused")
        return answer()

    with pytest.raises(calls.OutcomeUnknown):
        once(outside, look_up=look_up)
    assert the_call().state == "UNKNOWN"


@pytest.mark.parametrize("kind", [Rejected, Unavailable, Misconfigured])
def test_a_definite_no_closes_the_call_and_passes_through(outside: Outside, kind: type[Rejected]) -> None:
    outside.refuse = kind("whmcs", "AddOrder", "no", "they said no")
    with pytest.raises(kind):
        once(outside)
    assert (the_call().state, the_call().error_code) == ("FAILED", "no")


def test_after_a_definite_no_another_owner_may_send(outside: Outside) -> None:
    outside.refuse = Rejected("whmcs", "AddOrder", "no")
    with pytest.raises(Rejected):
        once(outside)
    outside.refuse = None
    once(outside, owner="attempt:2")
    assert outside.sent == 2


def test_an_owner_sends_at_most_once(outside: Outside) -> None:
    outside.refuse = Rejected("whmcs", "AddOrder", "no")
    with pytest.raises(Rejected):
        once(outside)
    with pytest.raises(calls.AlreadySent):
        once(outside)
    assert outside.sent == 1


def test_a_second_owner_is_blocked_until_the_quarantine_is_over(outside: Outside) -> None:
    outside.lose_answer = outside.do_nothing = True
    with pytest.raises(calls.OutcomeUnknown):
        once(outside)
    with pytest.raises(calls.Quarantined) as blocked:
        once(outside, owner="attempt:2")
    assert blocked.value.until == the_call().quarantine_until
    assert outside.sent == 1


def test_after_the_quarantine_the_look_up_decides_that_it_may_be_sent_again(outside: Outside) -> None:
    outside.lose_answer = outside.do_nothing = True
    with pytest.raises(calls.OutcomeUnknown):
        once(outside)
    pass_quarantine()
    outside.lose_answer = outside.do_nothing = False
    once(outside, owner="attempt:2")
    assert outside.sent == 2
    assert list(RemoteCall.objects.order_by("id").values_list("state", flat=True)) == ["FAILED", "DONE"]


def test_a_look_up_made_before_the_quarantine_ended_does_not_count(outside: Outside) -> None:
    """The request may have been carried out between the look and the end of the quarantine."""
    outside.lose_answer = outside.do_nothing = True
    with pytest.raises(calls.OutcomeUnknown):
        once(outside)

    def look_up_while_it_ends() -> None:
        now = timezone.now()
        RemoteCall.objects.update(quarantine_until=now + timedelta(milliseconds=0))

    with pytest.raises(calls.Quarantined):
        once(outside, owner="attempt:2", look_up=look_up_while_it_ends)
    assert outside.sent == 1


def test_a_call_found_during_its_quarantine_is_adopted_and_closed(outside: Outside) -> None:
    outside.lose_answer = outside.do_nothing = True
    with pytest.raises(calls.OutcomeUnknown):
        once(outside)
    outside.there = [55]  # it was carried out late
    assert once(outside, owner="attempt:2") == 55
    assert (the_call().state, the_call().result["id"], outside.sent) == ("DONE", 55, 1)


def test_what_ended_after_the_look_up_is_looked_up_again(outside: Outside) -> None:
    """Another owner's call was open when we looked and DONE when we wanted to intend."""
    first = [True]

    def look_up() -> int | None:
        if first:
            first.clear()
            once(outside, owner="attempt:other")
            return None
        return outside.look_up()

    assert once(outside, owner="attempt:2", look_up=look_up) == 101
    assert outside.sent == 1


def test_a_fence_that_does_not_hold_sends_nothing_and_leaves_nothing_open(outside: Outside) -> None:
    def fence() -> None:
        raise RuntimeError("lost")

    with pytest.raises(RuntimeError):
        once(outside, fence=fence)
    assert (outside.sent, the_call().state, the_call().error_code) == (0, "FAILED", "not_sent")


def test_staff_release_lets_the_next_owner_send_at_once(outside: Outside) -> None:
    outside.lose_answer = outside.do_nothing = True
    with pytest.raises(calls.OutcomeUnknown):
        once(outside)
    calls.release(the_call(), by="carol@example.jp", reason="looked in WHMCS")
    outside.lose_answer = outside.do_nothing = False
    once(outside, owner="attempt:2")
    released = RemoteCall.objects.order_by("id")[0]
    assert (released.released_by, released.release_reason) == ("carol@example.jp", "looked in WHMCS")
    assert outside.sent == 2


def test_an_interrupted_owner_leaves_an_unknown_call(outside: Outside) -> None:
    class Killed(BaseException):
        pass

    def killed() -> int:
        raise Killed

    outside.add = killed  # type: ignore[method-assign]
    with pytest.raises(Killed):
        once(outside)
    assert the_call().state == "INTENT"
    assert calls.interrupted(owner="attempt:1") is True
    assert the_call().state == "UNKNOWN"
    assert calls.interrupted(owner="attempt:9") is False


def test_of_many_owners_at_the_same_time_one_sends(outside: Outside) -> None:
    """All of them look before the first one sends: it is the intent that decides."""
    everybody_looked = threading.Barrier(6)
    results: list[object] = []

    def run(owner: str) -> None:
        first_look = [True]

        def look_up() -> int | None:
            found = outside.look_up()
            if first_look:
                first_look.clear()
                everybody_looked.wait(timeout=10)
            return found

        try:
            results.append(once(outside, owner=owner, look_up=look_up))
        except calls.Quarantined as blocked:
            results.append(blocked)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(f"attempt:{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert outside.sent == 1
    assert len(results) == 6
