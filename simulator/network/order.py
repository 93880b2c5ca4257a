"""Running order of populations: strongly connected components, sources first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulator.errors import InputError

if TYPE_CHECKING:
    from simulator.network.network import Network


def running_groups(network: Network) -> tuple[tuple[str, ...], ...]:
    """Components in topological order; inside one, an order in which every delay-0 projection points forward.

    Ties fall in file order.  Raises InputError when delay-0 projections alone form a cycle.
    """
    names = [p.name for p in network.populations]
    rank = {name: i for i, name in enumerate(names)}
    after: dict[str, list[str]] = {name: [] for name in names}
    before: dict[str, list[str]] = {name: [] for name in names}
    for projection in network.projections:
        after[projection.source].append(projection.target)
        before[projection.target].append(projection.source)

    component = _components(names, after, before)
    members: dict[int, list[str]] = {}
    for name in names:
        members.setdefault(component[name], []).append(name)
    group_edges = {
        (component[p.source], component[p.target])
        for p in network.projections
        if component[p.source] != component[p.target]
    }
    first = {c: min(rank[n] for n in m) for c, m in members.items()}
    groups = _topological(sorted(members, key=first.__getitem__), group_edges, first)
    if groups is None:  # cannot happen: the condensation of a graph has no cycle
        raise InputError("internal: the condensation has a cycle")

    result = []
    for c in groups:
        inside = {
            (p.source, p.target)
            for p in network.projections
            if p.delay == 0 and component[p.source] == c and component[p.target] == c
        }
        order = _topological(members[c], inside, rank)
        if order is None:
            raise InputError(
                "a cycle of projections without delay cannot be computed: one of them needs delay >= 1",
                key=f"network {network.name}",
                found=" -> ".join(members[c]),
            )
        result.append(tuple(order))
    return tuple(result)


def _topological(nodes: list, edges: set, rank: dict) -> list | None:
    """Kahn's algorithm, lowest rank first among the ready ones; None when there is a cycle."""
    import heapq

    waiting = {n: 0 for n in nodes}
    followers: dict = {n: [] for n in nodes}
    for a, b in sorted(edges, key=lambda e: (rank[e[0]], rank[e[1]])):
        waiting[b] += 1
        followers[a].append(b)
    ready = [(rank[n], n) for n in nodes if waiting[n] == 0]
    heapq.heapify(ready)
    order = []
    while ready:
        _, node = heapq.heappop(ready)
        order.append(node)
        for follower in followers[node]:
            waiting[follower] -= 1
            if waiting[follower] == 0:
                heapq.heappush(ready, (rank[follower], follower))
    return order if len(order) == len(nodes) else None


def _components(names: list[str], after: dict[str, list[str]], before: dict[str, list[str]]) -> dict[str, int]:
    """Kosaraju without recursion: a component number for every name."""
    finished: list[str] = []
    seen: dict[str, bool] = {}
    for root in names:
        if root in seen:
            continue
        seen[root] = True
        stack = [(root, iter(after[root]))]
        while stack:
            node, rest = stack[-1]
            for follower in rest:
                if follower not in seen:
                    seen[follower] = True
                    stack.append((follower, iter(after[follower])))
                    break
            else:
                finished.append(node)
                stack.pop()
    number: dict[str, int] = {}
    for i, root in enumerate(reversed(finished)):
        if root in number:
            continue
        stack2 = [root]
        while stack2:
            node = stack2.pop()
            if node in number:
                continue
            number[node] = i
            stack2.extend(before[node])
    return number
