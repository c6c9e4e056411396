"""What can go wrong, by the names that the ledger uses; collected from the code that answers."""

from dataclasses import dataclass
from typing import get_args

from starlette.routing import Route

from sandbox.esim import api as esim
from sandbox.faults.kinds.base import CONNECT
from sandbox.faults.kinds.pubsub import DELIVER, EVENT
from sandbox.mail.smtp import COMMANDS
from sandbox.salesforce import app as salesforce
from sandbox.salesforce.pubsub.proto import eventbus_pb2 as wire
from sandbox.whmcs import actions, clientarea
from sandbox.whmcs.ordering.switches import Command
from sandbox.world import World


@dataclass(frozen=True)
class Names:
    """`requests` are what clients ask for; `inner` is what happens inside of that, or before anything is asked."""

    requests: tuple[str, ...]
    inner: tuple[str, ...] = ()


def operations(world: World) -> dict[str, Names]:
    """Every name by system."""
    return {
        "salesforce": _salesforce(world),
        "pubsub": _pubsub(),
        "whmcs": _whmcs(world),
        "esim": _esim(world),
        "mail": _mail(),
    }


def _salesforce(world: World) -> Names:
    types = [each.name for each in world.org.schema if not each.event]
    records = [f"record.{verb} {name}" for verb in ("create", "update", "delete") for name in types]
    return Names(tuple(salesforce.operations(world)), (CONNECT, *records))


def _pubsub() -> Names:
    service = wire.DESCRIPTOR.services_by_name["PubSub"]
    return Names(tuple(method.name for method in service.methods), (CONNECT, EVENT, DELIVER))


def _whmcs(world: World) -> Names:
    api = [action.name for action in actions.BY_NAME.values()]
    pages = [route.name for route in clientarea.pages(world)]
    return Names((*api, *pages), (CONNECT, *(f"module.{command}" for command in get_args(Command))))


def _esim(world: World) -> Names:
    names = [route.name for route in esim.app(world).routes if isinstance(route, Route)]
    return Names(tuple(dict.fromkeys(names)), (CONNECT,))


def _mail() -> Names:
    return Names(COMMANDS, (CONNECT,))
