"""Buttons for tests under /control/pubsub: put anything on the bus, disturb the streams, change what there is."""

import base64
import binascii
import json
import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from sandbox.faults.placing import parse, place
from sandbox.faults.rules import Rule
from sandbox.salesforce.bus import Draft
from sandbox.salesforce.events import UnknownTopic
from sandbox.salesforce.pubsub import replay
from sandbox.salesforce.topics import Topic
from sandbox.world import World

_Act = Callable[[World, dict[str, Any]], dict[str, Any]]
_Endpoint = Callable[[Request], Awaitable[JSONResponse]]
_MOST_AT_ONCE = 100_000
# What each button needs, and what it takes besides.
_FIELDS: dict[str, tuple[str, str]] = {
    "publish": ("topic", "fields payload schema_id event_id count"),
    "cut": ("", "status"),
    "mute": ("", "muted"),
    "freeze": ("", "frozen"),
    "pace": ("", "keepalive_s idle_s publish_idle_s commit_idle_s"),
    "refuse": ("operation code", "times"),
    "repeat": ("", "times"),
    "reverse": ("", "times"),
    "age": ("hours", ""),
    "schema": ("topic add", ""),
    "renumber": ("", "start"),
    "channel": ("name members", ""),
    "permit": ("topic", "publish subscribe"),
    "managed": ("developer_name", "metadata delete"),
}


def routes(world: World) -> list[Route]:
    """Each takes a JSON object by POST and answers one; anything wrong with it is a 400 that says what."""
    acts: dict[str, _Act] = {
        "publish": _publish,
        "cut": _cut,
        "mute": _mute,
        "freeze": _freeze,
        "pace": _pace,
        "refuse": _refuse,
        "repeat": _repeat,
        "reverse": _reverse,
        "age": _age,
        "schema": _schema,
        "renumber": _renumber,
        "channel": _channel,
        "permit": _permit,
        "managed": _managed,
    }
    posts = [Route(f"/{name}", _endpoint(world, name, act), methods=["POST"]) for name, act in acts.items()]

    async def streams(_: Request) -> JSONResponse:
        return JSONResponse({"streams": len(world.switchboard), "tip": replay.encode(world.bus.latest()).hex()})

    async def topics(_: Request) -> JSONResponse:
        return JSONResponse([_shown(world.topics.find(each)) for each in world.topics.names()])

    return [*posts, Route("/streams", streams), Route("/topics", topics)]


def _endpoint(world: World, name: str, act: _Act) -> _Endpoint:
    async def answer(request: Request) -> JSONResponse:
        try:
            body = json.loads(await request.body() or b"{}")
            if not isinstance(body, dict):
                raise ValueError("a JSON object is wanted")
            _check_fields(name, body)
            return JSONResponse(act(world, body))
        except (LookupError, TypeError, ValueError, UnknownTopic, binascii.Error) as error:
            return JSONResponse({"error": f"{type(error).__name__}: {error}"}, status_code=400)

    return answer


def _check_fields(name: str, body: dict[str, Any]) -> None:
    """Raises ValueError for a field that is missing or that this button does not know."""
    needed, besides = (words.split() for words in _FIELDS[name])
    if missing := [each for each in needed if each not in body]:
        raise ValueError(f"{', '.join(missing)} missing")
    if unknown := sorted(body.keys() - {*needed, *besides}):
        raise ValueError(f"{', '.join(unknown)} unknown; {name} takes {', '.join([*needed, *besides])}")


def _publish(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """`topic` and `fields`; or `payload` (base64), with `schema_id` and `event_id` when they are to be odd. With
    `count` there are that many alike, each with an event id of its own. Answers for the last one."""
    topic = str(body["topic"])
    schema_id = world.schemas.current(topic).schema_id
    if "payload" in body:
        payload = base64.b64decode(body["payload"], validate=True)
    else:
        schema_id, payload = world.schemas.encode(topic, _with_creation(world, topic, body["fields"]))
    schema_id, count = str(body.get("schema_id", schema_id)), int(body.get("count", 1))
    if not 0 < count <= _MOST_AT_ONCE:
        raise ValueError(f"count is between 1 and {_MOST_AT_ONCE}")
    event_ids = [str(body["event_id"])] if "event_id" in body else [str(uuid.uuid4()) for _ in range(count)]
    event = world.bus.append_all(Draft(topic, schema_id, payload, each) for each in event_ids)[-1]
    return {"event_id": event.event_id, "replay_id": replay.encode(event.replay).hex(), "replay": event.replay}


def _with_creation(world: World, topic: str, fields: dict[str, Any]) -> dict[str, Any]:
    now = int(world.now().timestamp() * 1000)
    created = {"CreatedDate": now, "CreatedById": "005000000000000AAA"} if topic.startswith("/event/") else {}
    return {**created, **fields}


def _cut(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """`status`: OK (default), the name of another gRPC status, or RST, which breaks the connections."""
    rule = _place(world, "stream_cut", {"status": str(body.get("status", "OK"))}, when="now")
    return {"cut": rule.acted}


def _mute(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """`muted`: true (default) or false."""
    _stand(world, "stream_silent", bool(body.get("muted", True)))
    return {"muted": world.switchboard.muted}


def _freeze(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """`frozen`: true (default) or false. Connections stay open and move no bytes, as behind a router that forgot."""
    frozen = bool(body.get("frozen", True))
    _stand(world, "connections_frozen", frozen)
    return {"frozen": frozen}


def _pace(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """`keepalive_s`, `idle_s`, `publish_idle_s`, `commit_idle_s`; what is absent stays."""
    pace = world.switchboard.change_pace(**{name: float(seconds) for name, seconds in body.items()})
    return {name: getattr(pace, name) for name in ("keepalive_s", "idle_s", "publish_idle_s", "commit_idle_s")}


def _repeat(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """`times` (default 1): so many responses deliver their first event twice."""
    _place(world, "event_repeated", {}, when="times", times=int(body.get("times", 1)))
    return {}


def _reverse(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """`times` (default 1): so many responses with several events deliver them in reverse order."""
    _place(world, "events_reordered", {}, when="times", times=int(body.get("times", 1)))
    return {}


def _age(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """`hours`: let so much time pass, for the retention of events and the life of sessions."""
    world.clock.advance(timedelta(hours=float(body["hours"])))
    return {"now": world.now().isoformat()}


def _schema(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """`topic` and `add` (field name to Avro type): its events have more fields from now on, and another schema id."""
    _place(world, "new_schema", {"topic": str(body["topic"]), "add": dict(body["add"])})
    return {"schema_id": world.schemas.current(str(body["topic"])).schema_id}


def _renumber(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """Every event has another replay id, the oldest that of `start` (default: above all there were); streams end."""
    cut = len(world.switchboard)
    _place(world, "renumbered", {"start": body.get("start")})
    return {"cut": cut}


def _channel(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """`name` and `members`: make a custom channel, or change what it joins."""
    world.topics.put_channel(str(body["name"]), [str(each) for each in body["members"]])
    return _shown(world.topics.find(str(body["name"])))


def _permit(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """`topic`, `publish`, `subscribe` (default true): what the integration user may do; streams under way end."""
    topic = world.topics.permit(
        str(body["topic"]), publish=bool(body.get("publish", True)), subscribe=bool(body.get("subscribe", True))
    )
    world.switchboard.poke()
    return _shown(topic)


def _managed(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """`developer_name` and `metadata`: make a managed event subscription, or change it; `delete` forgets it."""
    managed, name = world.org.managed, str(body["developer_name"])
    record, metadata = managed.named(name), dict(body.get("metadata", {}))
    if record and body.get("delete"):
        managed.delete(record["Id"])
    else:
        record = managed.change(record["Id"], metadata) if record else managed.create(name, metadata)
    world.switchboard.poke()
    return {**record, "committed": managed.committed(record["Id"])}


def _shown(topic: Topic) -> dict[str, Any]:
    return {
        "name": topic.name,
        "members": topic.members,
        "schema_id": topic.schema_id,
        "can_publish": topic.can_publish,
        "can_subscribe": topic.can_subscribe,
    }


def _refuse(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """`operation` (Subscribe, GetTopic, Publish, …), `code` without its prefix, `times` (default 1)."""
    times, parameters = int(body.get("times", 1)), {"code": str(body["code"])}
    _place(world, "refused", parameters, operation=str(body["operation"]), when="times", times=times)
    return {"planned": body["code"]}


def _place(world: World, kind: str, parameters: dict[str, Any], **more: Any) -> Rule:
    """A rule about faults. Raises RuleRefused."""
    return place(world, parse({"system": "pubsub", "kind": kind, "parameters": parameters, **more}))


def _stand(world: World, kind: str, there: bool) -> None:
    """Have a rule of a kind that is there as long as it is there, or none."""
    rules = [each for each in world.faults.all() if each.spec.kind == kind]
    if there and not rules:
        _place(world, kind, {})
    elif not there:
        world.faults.remove(rules)
