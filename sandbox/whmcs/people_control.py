"""What people do that no action of the API does: switches of a client and a user, answers to invitations."""

from dataclasses import asdict
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from sandbox.pages import posted_json
from sandbox.whmcs.accounts import users
from sandbox.whmcs.dates import NO_DATE, is_date
from sandbox.whmcs.install import Whmcs
from sandbox.whmcs.system.records import ToDoItem


def _day(text: str) -> str:
    """The text, if it is a day. Raises ValueError."""
    if text != NO_DATE and not is_date(text):
        raise ValueError("a day is written as YYYY-MM-DD")
    return text


class ClientChange(BaseModel):
    """What a client switches in the security settings of the client area."""

    model_config = ConfigDict(extra="forbid", strict=True)

    allow_sso: bool


class UserChange(BaseModel):
    """What a user switches under account security."""

    model_config = ConfigDict(extra="forbid", strict=True)

    two_factor: bool


class NewToDoItem(BaseModel):
    """What a member of the staff writes down."""

    model_config = ConfigDict(extra="forbid", strict=True)

    title: str
    description: str = ""
    due: Annotated[str, AfterValidator(_day)] = NO_DATE


class PeopleControl:
    """The endpoints, over one installation."""

    def __init__(self, whmcs: Whmcs) -> None:
        self.whmcs = whmcs

    async def client(self, request: Request) -> JSONResponse:
        """Single sign-on, allowed or forbidden by the client."""
        found = self.whmcs.clients.get(request.path_params["client"])
        if found is None:
            return _missing("client", request)
        try:
            found.allow_sso = ClientChange.model_validate(await posted_json(request)).allow_sso
        except ValidationError as error:
            return _wrong(error)
        with self.whmcs.caller(""):
            self.whmcs.clients.put(found)
            self.whmcs.note("control.client", str(found.id), {"allow_sso": found.allow_sso})
        return JSONResponse(asdict(found))

    async def user(self, request: Request) -> JSONResponse:
        """Two-factor authentication, switched on or off by the user."""
        found = self.whmcs.users.get(request.path_params["user"])
        if found is None:
            return _missing("user", request)
        try:
            found.two_factor = UserChange.model_validate(await posted_json(request)).two_factor
        except ValidationError as error:
            return _wrong(error)
        with self.whmcs.caller(""):
            self.whmcs.users.put(found)
            self.whmcs.note("control.user", str(found.id), {"two_factor": found.two_factor})
        return JSONResponse({"id": found.id, "two_factor": found.two_factor})

    async def accept(self, request: Request) -> JSONResponse:
        """An invitation, accepted by the user who has its address."""
        found = self.whmcs.invites.get(request.path_params["invite"])
        if found is None:
            return _missing("invite", request)
        with self.whmcs.caller(""):
            link = users.accept(self.whmcs, found)
            self.whmcs.note("control.invite", str(found.id), {"client": found.client_id, "accepted": link is not None})
        if link is None:
            return JSONResponse({"error": f"nobody with the address {found.email} can accept this"}, 409)
        return JSONResponse(asdict(link))

    async def to_do(self, request: Request) -> JSONResponse:
        """A new entry of the staff's to-do list."""
        try:
            new = NewToDoItem.model_validate(await posted_json(request))
        except ValidationError as error:
            return _wrong(error)
        number = self.whmcs.to_do_items.next_id()
        item = ToDoItem(number, self.whmcs.today(), new.title, new.description, due=new.due)
        return JSONResponse(asdict(self.whmcs.to_do_items.put(item)), 201)


def routes(whmcs: Whmcs) -> list[BaseRoute]:
    """Routes relative to `/control`."""
    control = PeopleControl(whmcs)
    return [
        Route("/whmcs/clients/{client:int}", control.client, methods=["POST"]),
        Route("/whmcs/users/{user:int}", control.user, methods=["POST"]),
        Route("/whmcs/invites/{invite:int}/accept", control.accept, methods=["POST"]),
        Route("/whmcs/to-do", control.to_do, methods=["POST"]),
    ]


def _missing(what: str, request: Request) -> JSONResponse:
    return JSONResponse({"error": f"no {what} {request.path_params[what]}"}, 404)


def _wrong(error: ValidationError) -> JSONResponse:
    return JSONResponse({"error": str(error)}, 422)
