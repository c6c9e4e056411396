"""Composite graphs: up to 75 Composites in one call, each all or nothing (salesforce-wire.md, section 3.6)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.salesforce.errors import ApiError, method_not_allowed, not_found
from sandbox.salesforce.org import Org
from sandbox.salesforce.rest import subrequests
from sandbox.salesforce.rest.calls import Address, Answer, Call, Dispatch, Part, parse_address, refusal
from sandbox.salesforce.rest.envelopes import listed, properties, text
from sandbox.salesforce.rest.references import names_in
from sandbox.salesforce.rest.subrequests import SubRequest

FIRST_VERSION = 50.0
GRAPH_LIMIT = 75
NODE_LIMIT = 500
DEPTH_LIMIT = 15
KIND_LIMIT = 15
FAILURE_LIMIT = 14
_METHODS = {2: ("POST",), 3: ("DELETE", "GET", "PATCH"), 4: ("DELETE", "GET", "PATCH", "POST")}
_HALTED = ApiError("PROCESSING_HALTED", f"Processing stopped because more than {FAILURE_LIMIT} graphs failed.")


@dataclass(frozen=True)
class Graph:
    """One graph; its nodes are its sub-requests."""

    graph_id: str
    nodes: list[SubRequest]


def run(org: Org, dispatch: Dispatch, call: Call) -> Answer:
    """POST composite/graph. Raises ApiError for a bad envelope; everything else is answered with 200."""
    if call.version < FIRST_VERSION:
        raise not_found()
    graphs = _graphs(call)
    done = list(_run_each(org, dispatch, call, graphs))
    failed = sum(_failed(parts) for _, parts in done)
    parts = [part for _, each in done for part in each]
    return Answer(
        200,
        {"graphs": [_shown(graph, parts) for graph, parts in done]},
        key=",".join(graph.graph_id for graph in graphs),
        detail={"graphs": len(graphs), "failed": failed, "subrequests": len(parts)},
        parts=parts,
    )


def _run_each(org: Org, dispatch: Dispatch, call: Call, graphs: list[Graph]) -> Iterator[tuple[Graph, list[Part]]]:
    failures = 0
    for graph in graphs:
        if failures > FAILURE_LIMIT:
            parts = [Part(node.reference_id, "halted", refusal(_HALTED)) for node in graph.nodes]
        else:
            parts = subrequests.Run(call, dispatch, _permit).all_or_none(org.store, graph.nodes)
            failures += _failed(parts)
        yield graph, parts


def _failed(parts: list[Part]) -> bool:
    return any(part.answer.failed for part in parts)


def _shown(graph: Graph, parts: list[Part]) -> dict[str, Any]:
    return {
        "graphId": graph.graph_id,
        "graphResponse": {"compositeResponse": [subrequests.shown(part) for part in parts]},
        "isSuccessful": not _failed(parts),
    }


def _graphs(call: Call) -> list[Graph]:
    rows = listed(properties(call.body, ("graphs",)), "graphs")
    if not rows:
        raise ApiError("JSON_PARSER_ERROR", "The request body has no graphs list")
    if len(rows) > GRAPH_LIMIT:
        raise ApiError("LIMIT_EXCEEDED", f"The request can’t contain more than {GRAPH_LIMIT} graphs.")
    graphs = [_graph(row, call.version) for row in rows]
    if len({graph.graph_id for graph in graphs}) < len(graphs):
        raise ApiError("INVALID_INPUT", "Duplicate graphId provided in the request.")
    _check_limits(graphs)
    return graphs


def _graph(row: Any, version: float) -> Graph:
    row = properties(row, ("graphId", "compositeRequest"))
    nodes = subrequests.read(listed(row, "compositeRequest"), version)
    graph = Graph(text(row, "graphId"), nodes)
    if not nodes:
        raise ApiError("JSON_PARSER_ERROR", f"The graph {graph.graph_id} has no compositeRequest list")
    return graph


def _check_limits(graphs: list[Graph]) -> None:
    nodes = [node for graph in graphs for node in graph.nodes]
    if len(nodes) > NODE_LIMIT:
        raise ApiError("LIMIT_EXCEEDED", f"The request can’t contain more than {NODE_LIMIT} nodes.")
    if len({_kind(node) for node in nodes}) > KIND_LIMIT:
        raise ApiError("LIMIT_EXCEEDED", f"The request can’t contain more than {KIND_LIMIT} different nodes.")
    for graph in graphs:
        if _depth(graph) > DEPTH_LIMIT:
            message = f"The graph {graph.graph_id} can’t be deeper than {DEPTH_LIMIT} levels."
            raise ApiError("LIMIT_EXCEEDED", message)


def _kind(node: SubRequest) -> tuple[str, float, str]:
    """What makes two nodes different: the method, the API version, the type of record."""
    address = parse_address(node.url)
    if address is None:
        return node.method, 0.0, node.url
    return node.method, address.version, "/".join(address.segments[:2]).lower()


def _depth(graph: Graph) -> int:
    """How many nodes the longest chain of references has."""
    depths: dict[str, int] = {}
    for node in graph.nodes:
        before = [depths.get(name, 0) for name in names_in([node.url, node.body])]
        depths[node.reference_id] = 1 + max(before, default=0)
    return max(depths.values())


def _permit(node: SubRequest, address: Address) -> None:
    """Rows by id or external id, and new ones; nothing else can be a node."""
    segments = [segment.lower() for segment in address.segments]
    row = segments[:1] == ["sobjects"] and address.version >= FIRST_VERSION
    if not row or len(segments) not in _METHODS or (len(segments) == 3 and len(segments[2]) not in (15, 18)):
        raise not_found()
    allowed = _METHODS[len(segments)]
    if node.method not in allowed:
        raise method_not_allowed(node.method, allowed)
