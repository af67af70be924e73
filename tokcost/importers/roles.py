"""Which of several servers' counters count what: prefill and decode of a split deployment, routers, replicas.

prompt tokens of a deployment = those of the servers that prefill
output tokens                 = those of the servers that decode
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tokcost.importers.point import Point

ENDED = "vllm:request_success_total"
PROMPT, OUTPUT, BY_SOURCE = "vllm:prompt_tokens_total", "vllm:generation_tokens_total", "vllm:prompt_tokens_by_source_total"
#: labels that name a server, the surest first
_SERVER = (
    "pod",
    "exported_pod",
    "pod_name",
    "kubernetes_pod_name",
    "instance",
    "exported_instance",
    "hostname",
    "server",
    "worker",
    "replica",
)
#: labels that may say what a server does
_ROLE = ("role", "disaggregation_role", "engine_role", "component", "container", "service", "job", "deployment", *_SERVER)
#: labels of the scraping, not of the counter
_SCRAPED_BY = {"job", "service", "endpoint", "container", "namespace", "prometheus", "monitor", "exported_job", "__name__"}
_DECODES, _PREFILLS, _ROUTES = (
    re.compile(words, re.IGNORECASE) for words in (r"decod", r"prefill", r"router|proxy|gateway|frontend|\bepp\b")
)
#: a decoding server computes at most this share of its prompts itself
_DECODE_COMPUTES_FRAC = 0.1
#: counts of the same requests by two servers differ by no more
_SAME_FRAC = 0.05


@dataclass
class Growth:
    """How much one counter of one server grew."""

    name: str
    labels: dict[str, str]
    grown: float

    @property
    def server(self) -> str:
        """The server that counts; empty where no label tells."""
        return next((self.labels[name] for name in _SERVER if self.labels.get(name)), "")


@dataclass
class Roles:
    """Servers whose counts of prompts, or of answers, are another's over again."""

    only_decode: set[str] = field(default_factory=set)
    only_prefill: set[str] = field(default_factory=set)
    is_split: bool = False

    def reads_prompts(self, growth: Growth) -> bool:
        return growth.server not in self.only_decode

    def gives_answers(self, growth: Growth) -> bool:
        return growth.server not in self.only_prefill


def tell_apart(growths: list[Growth], point: Point) -> Roles:
    """Drop from `growths` what stands twice, and say which servers count what; what stays unclear is said in a note."""
    _drop_scraped_twice(growths, point)
    _drop_routers(growths, point)
    servers = _by_server(growths)
    roles = Roles()
    if len(servers) < 2:
        return roles
    for server in servers:
        if _is_role(growths, server, _DECODES) or _is_fed(growths, server):
            roles.only_decode.add(server)
        elif _is_role(growths, server, _PREFILLS):
            roles.only_prefill.add(server)
    if not (roles.only_decode or roles.only_prefill):
        roles.only_prefill = _one_token_writers(growths, servers)
    if roles.only_decode and not roles.only_prefill:
        roles.only_prefill = set(servers) - roles.only_decode
    elif roles.only_prefill and not roles.only_decode:
        roles.only_decode = set(servers) - roles.only_prefill
    roles.is_split = bool(roles.only_decode and roles.only_prefill)
    if roles.is_split:
        point.deployment = "disaggregated"
        point.note(
            f"prompts are those of the prefill servers ({_named(roles.only_prefill)}), answers those of the decode servers "
            f"({_named(roles.only_decode)}): each counts the requests of the other again; TTFT and request time are nobody's and left empty"
        )
        return roles
    point.note(
        f"{len(servers)} servers ({_named(servers)}) are summed as replicas; if a request passes through several of them "
        "(prefill and decode, a router), its tokens count more than once"
    )
    return Roles()


def _named(servers) -> str:
    names = sorted(servers)
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def _by_server(growths: list[Growth]) -> dict[str, tuple[float, float]]:
    """Prompt and output tokens of each server."""
    prompts: dict[str, float] = {}
    outputs: dict[str, float] = {}
    for growth in growths:
        for name, tokens in ((PROMPT, prompts), (OUTPUT, outputs)):
            if growth.name == name:
                tokens[growth.server] = tokens.get(growth.server, 0.0) + growth.grown
    return {server: (prompts.get(server, 0.0), outputs.get(server, 0.0)) for server in prompts | outputs}


def _drop_scraped_twice(growths: list[Growth], point: Point) -> None:
    """One counter that two jobs scrape: every label is the same but those of the scraping."""
    seen, n_twice = set(), 0
    for growth in list(growths):
        key = (
            growth.name,
            growth.server,
            *sorted(item for item in growth.labels.items() if item[0] not in _SCRAPED_BY and item[0] not in _SERVER),
        )
        if growth.server and (key, growth.grown) in seen:
            growths.remove(growth)
            n_twice += 1
        seen.add((key, growth.grown))
    if n_twice:
        point.note(f"{n_twice} counters were scraped twice, by two jobs, and count once")


def _drop_routers(growths: list[Growth], point: Point) -> None:
    """A server that counts what all the others count together is in front of them."""
    servers = _by_server(growths)
    for server, tokens in servers.items():
        others = [sum(values) for values in zip(*(t for name, t in servers.items() if name != server), strict=True)]
        if not others or not sum(others):
            continue
        is_sum = all(abs(mine - theirs) <= _SAME_FRAC * theirs for mine, theirs in zip(tokens, others, strict=True))
        if _is_role(growths, server, _ROUTES) or (is_sum and len(servers) > 2):
            growths[:] = [growth for growth in growths if growth.server != server]
            point.note(f"{server or 'a server without a name'} counts what the servers behind it count, and is excluded")
            return


def _is_role(growths: list[Growth], server: str, words: re.Pattern) -> bool:
    return any(words.search(growth.labels.get(name, "")) for growth in growths if growth.server == server for name in _ROLE)


def _one_token_writers(growths: list[Growth], servers: dict[str, tuple[float, float]]) -> set[str]:
    """Servers that write one token a request, if the others read as many prompt tokens again: they prefill for them."""
    ended = {server: sum(g.grown for g in growths if g.name == ENDED and g.server == server) for server in servers}
    writers = {server for server, (_, written) in servers.items() if 0 < written <= (1 + _SAME_FRAC) * ended[server]}
    read, read_again = (sum(servers[server][0] for server in part) for part in (writers, set(servers) - writers))
    return writers if abs(read - read_again) <= _SAME_FRAC * read_again else set()


def _is_fed(growths: list[Growth], server: str) -> bool:
    """Nearly all prompt tokens of this server came with their KV cache from another one."""
    of_source = [growth for growth in growths if growth.name == BY_SOURCE and growth.server == server]
    total = sum(growth.grown for growth in of_source)
    fed = sum(growth.grown for growth in of_source if growth.labels.get("source") == "external_kv_transfer")
    return total > 0 and fed >= (1 - _DECODE_COMPUTES_FRAC) * total
