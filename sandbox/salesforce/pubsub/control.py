"""Buttons for tests under /control/pubsub: put anything on the bus, cut or silence the streams, plan refusals."""

import base64
import binascii
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import grpc
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from sandbox.salesforce.events import UnknownTopic, schema_of
from sandbox.salesforce.pubsub import replay
from sandbox.salesforce.pubsub.refusals import STATUS
from sandbox.world import World

_Act = Callable[[World, dict[str, Any]], dict[str, Any]]
_Endpoint = Callable[[Request], Awaitable[JSONResponse]]


def routes(world: World) -> list[Route]:
    """Each takes a JSON object by POST and answers one; anything wrong with it is a 400 that says what."""
    acts: dict[str, _Act] = {
        "publish": _publish,
        "cut": _cut,
        "mute": _mute,
        "pace": _pace,
        "refuse": _refuse,
        "age": _age,
        "schema": _schema,
    }
    posts = [Route(f"/{name}", _endpoint(world, act), methods=["POST"]) for name, act in acts.items()]

    async def streams(_: Request) -> JSONResponse:
        return JSONResponse({"streams": len(world.switchboard), "tip": replay.encode(world.bus.latest()).hex()})

    return [*posts, Route("/streams", streams)]


def _endpoint(world: World, act: _Act) -> _Endpoint:
    async def answer(request: Request) -> JSONResponse:
        try:
            return JSONResponse(act(world, json.loads(await request.body() or b"{}")))
        except (KeyError, TypeError, ValueError, UnknownTopic, binascii.Error) as error:
            return JSONResponse({"error": f"{type(error).__name__}: {error}"}, status_code=400)

    return answer


def _publish(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """`topic` and `fields`; or `payload` (base64), with `schema_id` and `event_id` when they are to be odd."""
    topic = str(body["topic"])
    schema_id = world.schemas.current(topic).schema_id
    if "payload" in body:
        payload = base64.b64decode(body["payload"], validate=True)
    else:
        schema_id, payload = world.schemas.encode(topic, _with_creation(world, body["fields"]))
    event = world.bus.append(topic, str(body.get("schema_id", schema_id)), payload, event_id=body.get("event_id"))
    return {"event_id": event.event_id, "replay_id": replay.encode(event.replay).hex(), "replay": event.replay}


def _with_creation(world: World, fields: dict[str, Any]) -> dict[str, Any]:
    now = int(world.now().timestamp() * 1000)
    return {"CreatedDate": now, "CreatedById": "005000000000000AAA", **fields}


def _cut(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """`status`: OK (default) or the name of another gRPC status."""
    return {"cut": world.switchboard.cut(grpc.StatusCode[body.get("status", "OK")])}


def _mute(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """`muted`: true (default) or false."""
    world.switchboard.mute(bool(body.get("muted", True)))
    return {"muted": world.switchboard.muted}


def _pace(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """`keepalive_s` and `idle_s`; what is absent stays."""
    board = world.switchboard
    board.pace(
        keepalive_s=float(body.get("keepalive_s", board.keepalive_s)), idle_s=float(body.get("idle_s", board.idle_s))
    )
    return {"keepalive_s": board.keepalive_s, "idle_s": board.idle_s}


def _age(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """`hours`: let so much time pass, for the retention of events and the life of sessions."""
    world.clock.advance(timedelta(hours=float(body["hours"])))
    return {"now": world.now().isoformat()}


def _schema(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """`topic` and `add` (field name to Avro type): its events have more fields from now on, and another schema id."""
    topic = str(body["topic"])
    customs = {each["name"]: each["type"][1] for each in world.schemas.current(topic).parsed["fields"][2:]}
    schema = schema_of(topic.rpartition("/")[2], {**customs, **body["add"]})
    world.schemas.register(topic, schema)
    return {"schema_id": schema.schema_id}


def _refuse(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """`operation` (Subscribe, GetTopic, GetSchema), `code` without its prefix, `times` (default 1)."""
    if body["code"] not in STATUS:
        raise ValueError(f"no such error code: {body['code']}")
    world.switchboard.plan(str(body["operation"]), str(body["code"]), int(body.get("times", 1)))
    return {"planned": body["code"]}
