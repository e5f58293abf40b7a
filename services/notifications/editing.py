"""What an edited template may say. Pure: parsed and tried on samples, never on anybody's data.

A template is text with the variables of its purpose, conditions, and for a digest a loop over its
lines: a list of what is allowed, because a list of what is dangerous would never be complete.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from jinja2 import Environment, TemplateSyntaxError, nodes

from services.notifications.texts import ABSENT, PARTS, SAMPLES, CannotRender, Texts, variables_of

# Characters of the source; nobody reads a longer one.
LONGEST = {"title": 100, "subject": 150, "body": 2000, "text": 2000, "html": 10_000}
# What an edited SMS may cost.
MOST_SEGMENTS = 2
_ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.If,
    nodes.CondExpr, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.For,
)  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """What is wrong with a part, in which line (from 1), or with the whole of it (None)."""

    part: str
    line: int | None
    code: str


def faults(purpose: str, channel: str, locale: str, parts: Mapping[str, str]) -> list[Fault]:
    """Everything that is wrong with an edited template."""
    known = PARTS[channel]
    found = [Fault(part, None, "unknown_part") for part in parts if part not in known]
    found += [Fault(part, None, "missing_part") for part in known if part not in parts]
    for part in known.keys() & parts.keys():
        found += _of_part(purpose, part, parts[part])
    return found or list(_tried(purpose, channel, locale, parts))


def segments(text: str) -> int:
    """How many short messages a text takes (3GPP TS 23.038): 160 characters of ASCII or 70 of any
    other fit in one, 153 or 67 in each of several.
    """
    one, each = (160, 153) if text.isascii() else (70, 67)
    return 1 if len(text) <= one else ceil(len(text) / each)


def rendered(purpose: str, channel: str, locale: str, parts: Mapping[str, str]) -> dict[str, str]:
    """Each part with sample values; raises CannotRender."""
    return _rendered(purpose, channel, locale, parts, _samples(purpose, channel)[0])


def _rendered(
    purpose: str, channel: str, locale: str, parts: Mapping[str, str], samples: Mapping[str, Any]
) -> dict[str, str]:
    texts = Texts(custom={(purpose, channel, locale): parts})
    return {part: texts.part(purpose, channel, part, locale, samples) for part in parts}


def _samples(purpose: str, channel: str) -> list[dict[str, Any]]:
    """What a template is tried on: with all that can be said by the channel, and without what may
    be absent.
    """
    samples = {name: SAMPLES[name] for name in variables_of(purpose)}
    absent = next((name for name in ABSENT if name in samples), None)
    if absent is None:
        return [samples]
    without = {**samples, absent: None}
    return [samples, without] if channel in ABSENT[absent] else [without]


def _of_part(purpose: str, part: str, source: str) -> Iterator[Fault]:
    if not source.strip():
        yield Fault(part, None, "empty_part")
    if len(source) > LONGEST[part]:
        yield Fault(part, None, "too_long")
    try:
        tree = Environment(autoescape=True).parse(source)
    except TemplateSyntaxError as error:
        yield Fault(part, error.lineno, "template_syntax")
        return
    yield from _of_tree(part, tree, variables_of(purpose))


def _of_tree(part: str, tree: nodes.Template, variables: frozenset[str]) -> Iterator[Fault]:
    own = {name for loop in tree.find_all(nodes.For) for name in _named_by(loop)}
    for node in [tree, *tree.find_all(nodes.Node)]:
        allowed = isinstance(node, _ALLOWED) and (
            not isinstance(node, nodes.For) or _is_over_items(node)
        )
        if not allowed:
            yield Fault(part, node.lineno, "not_in_templates")
        elif isinstance(node, nodes.Name) and node.name not in variables | own:
            yield Fault(part, node.lineno, "unknown_variable")


def _named_by(loop: nodes.For) -> set[str]:
    return {loop.target.name} if isinstance(loop.target, nodes.Name) else set()


def _is_over_items(loop: nodes.For) -> bool:
    over = isinstance(loop.iter, nodes.Name) and loop.iter.name == "items"
    return over and isinstance(loop.target, nodes.Name) and not loop.recursive


def _tried(purpose: str, channel: str, locale: str, parts: Mapping[str, str]) -> Iterator[Fault]:
    """What shows only when it is rendered: what it does not say, and how long it gets."""
    tried = _samples(purpose, channel)
    try:
        said = [_rendered(purpose, channel, locale, parts, samples) for samples in tried]
    except CannotRender:
        yield Fault(next(iter(parts)), None, "template_syntax")
        return
    for part, source in parts.items():
        texts = [each[part] for each in said]
        yield from _unsaid(purpose, part, source, texts)
    if channel == "sms" and max(segments(each["text"]) for each in said) > MOST_SEGMENTS:
        yield Fault("text", None, "too_many_segments")


def _unsaid(purpose: str, part: str, source: str, texts: list[str]) -> Iterator[Fault]:
    needed = None if part in ("title", "subject") else _needed(purpose)
    must = str(SAMPLES[needed]) if needed else ""
    if not all(texts):
        yield Fault(part, None, "empty_part")
    if not all(must in text for text in texts):
        yield Fault(part, None, "missing_variable")
    if any("None" in text for text in texts) and "None" not in source:
        yield Fault(part, None, "absent_variable")


def _needed(purpose: str) -> str | None:
    """Without which a message is of no use, if there is such a thing."""
    variables = variables_of(purpose)
    return next((name for name in ("code", "count", "host", "number") if name in variables), None)
