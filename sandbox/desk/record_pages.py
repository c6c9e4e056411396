"""Any record of the org, and finding records of every system."""

from dataclasses import dataclass
from itertools import islice

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from sandbox.desk.finding import MOST_OF_A_KIND, Found, find, salesforce
from sandbox.desk.room import Room, paged, part
from sandbox.salesforce.org import Org
from sandbox.salesforce.schema import Field, SObject
from sandbox.store import Record
from sandbox.world import World

_MOST_ENTRIES = 100


@dataclass(frozen=True)
class Cell:
    """One field of a record; `url` leads to the record it points at."""

    field: Field
    value: str
    url: str


def routes(room: Room) -> list[BaseRoute]:
    """Relative to the root of the port for people."""
    page, world = room.guarded, room.world

    async def finding(request: Request) -> Response:
        text = request.query_params.get("q", "").strip()
        return room.show(request, "find.html", "", {"text": text, "found": find(world, text)})

    async def types(request: Request) -> Response:
        kinds = [(each, len(world.org.table(each.name))) for each in _stored(world.org)]
        return room.show(request, "records.html", "records", {"kinds": sorted(kinds, key=lambda row: row[0].name)})

    async def listing(request: Request) -> Response:
        sobject, (skip, limit) = _wanted(world.org, request), part(request)
        newest = world.org.table(sobject.name).all(newest_first=True)
        found = [salesforce(world, sobject.name, each) for each in islice(newest, skip, skip + limit)]
        pages = paged(request, found)
        return room.show(request, "records_of.html", "records", {"sobject": sobject, "found": found, **pages})

    async def record(request: Request) -> Response:
        sobject = _wanted(world.org, request)
        held = world.org.existing(sobject.name, request.path_params["record"])
        context = {
            "sobject": sobject,
            "record": held,
            "name": salesforce(world, sobject.name, held).name,
            "cells": _cells(world, sobject, held),
            "children": _children(world, sobject, held),
            "entries": world.ledger.about(held["Id"], None, limit=_MOST_ENTRIES),
        }
        return room.show(request, "record.html", "records", context)

    return [
        Route("/find", page(finding)),
        Route("/records", page(types)),
        Route("/records/{type}", page(listing)),
        Route("/records/{type}/{record}", page(record)),
    ]


def _stored(org: Org) -> list[SObject]:
    return [each for each in org.schema if not each.event]


def _wanted(org: Org, request: Request) -> SObject:
    sobject = org.schema.get(request.path_params["type"])
    if sobject is None or sobject.event:
        raise HTTPException(404, "The org has no such object.")
    return sobject


def _cells(world: World, sobject: SObject, record: Record) -> list[Cell]:
    """The fields that hold something; a file's bytes are not shown."""
    held = ((field, record.get(field.name)) for field in sobject.fields.values() if field.type != "base64")
    return [Cell(field, str(value), _url(world, field, value)) for field, value in held if value not in (None, "")]


def _url(world: World, field: Field, value: object) -> str:
    target = world.org.schema.of_id(str(value)) if field.references else None
    return f"/records/{target.name}/{value}" if target and not target.event else ""


def _children(world: World, sobject: SObject, record: Record) -> list[tuple[str, list[Found]]]:
    """The newest records that point here, by relationship."""
    found = []
    for relationship in sobject.children.values():
        table = world.org.table(relationship.child)
        rows = table.newest(relationship.field, record["Id"], limit=MOST_OF_A_KIND)
        if rows:
            found.append((relationship.name, [salesforce(world, relationship.child, each) for each in rows]))
    return found
