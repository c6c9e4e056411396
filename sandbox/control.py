"""The side door for programs to what all systems share: the ledger, the clock, health."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from pydantic import AwareDatetime, BaseModel, Field, TypeAdapter, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from sandbox.ledger import Entry, Wanted
from sandbox.pages import posted_json
from sandbox.world import World

MOST_ROWS = 1000
_Number = Annotated[int, Field(ge=0, lt=2**63)]
_MOMENT: TypeAdapter[datetime] = TypeAdapter(AwareDatetime)
_CLOCK_NEEDS = 'one of {"advance_s": seconds}, {"set": "2026-11-21T09:00:00+09:00"} and {"reset": true} is needed'


class _Query(BaseModel, extra="forbid"):
    """Parameters of the ledger; see `Wanted`."""

    system: str | None = None
    operation: str | None = None
    key: str | None = None
    correlation_id: str | None = None
    after: _Number | None = None
    before: _Number | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    word: str | None = None
    limit: int = Field(MOST_ROWS, ge=1, le=MOST_ROWS)
    order: Literal["oldest", "newest"] = "oldest"

    def wanted(self) -> Wanted:
        """Which entries."""
        return Wanted(**self.model_dump(exclude={"limit", "order"}))


def routes(world: World) -> list[BaseRoute]:
    """Routes relative to `/control`."""

    async def ledger(request: Request) -> JSONResponse:
        asked = _asked(request)
        newest_first = asked.order == "newest"
        # One more than asked for tells whether there is a next page.
        found = list(world.ledger.select(asked.wanted(), limit=asked.limit + 1, newest_first=newest_first))
        rows, following = found[: asked.limit], None
        if len(found) > asked.limit:
            edge = {"before" if newest_first else "after": rows[-1].number}
            following = f"/control/ledger?{urlencode({**request.query_params, **edge})}"
        return JSONResponse({"rows": [_row(each) for each in rows], "next": following})

    async def count(request: Request) -> JSONResponse:
        operations = world.ledger.counts(_asked(request).wanted())
        total = sum(sum(each.values()) for each in operations.values())
        return JSONResponse({"count": total, "operations": operations})

    async def clock(request: Request) -> JSONResponse:
        if request.method == "POST":
            _turn(world, await posted_json(request))
        offset = world.clock.offset.total_seconds()
        return JSONResponse({"now": world.now().isoformat(), "offset_s": offset})

    async def health(_: Request) -> JSONResponse:
        return JSONResponse({"status": "ok", "now": world.now().isoformat()})

    return [
        Route("/ledger", ledger),
        Route("/ledger/count", count),
        Route("/clock", clock, methods=["GET", "POST"]),
        Route("/health", health),
    ]


def _row(entry: Entry) -> dict[str, Any]:
    return {**asdict(entry), "id": entry.number, "at": entry.at.isoformat()}


def _asked(request: Request) -> _Query:
    """The parameters. Raises 400 for one that is unknown or cannot be read; an empty one counts as not given."""
    try:
        return _Query.model_validate({name: value for name, value in request.query_params.items() if value})
    except ValidationError as error:
        raise HTTPException(400, _sentence(error)) from error


def _sentence(error: ValidationError) -> str:
    return "; ".join(": ".join([*map(str, each["loc"]), each["msg"]]) for each in error.errors())


def _turn(world: World, body: dict[str, Any]) -> None:
    """Do what the one field of the body says. Raises 400; the clock stays as it is then."""
    clock = world.clock
    try:
        match body:
            case {"advance_s": int() | float() as seconds, **rest} if not rest and not isinstance(seconds, bool):
                clock.advance(timedelta(seconds=seconds))
            case {"set": str() as text, **rest} if not rest:
                clock.set(_MOMENT.validate_python(text))
            case {"reset": True, **rest} if not rest:
                clock.reset()
            case _:
                raise HTTPException(400, _CLOCK_NEEDS)
    except ValidationError as error:
        raise HTTPException(400, _sentence(error)) from error
    except (OverflowError, ValueError) as error:
        raise HTTPException(400, "the clock only knows the years 1 to 9999") from error
    world.ledger.write("sandbox", "clock", detail=body)
