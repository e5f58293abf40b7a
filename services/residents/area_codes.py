"""Area codes: what they say about a place, its level and its ancestors, without looking anything
up.

A community and above has the official twelve-digit code (GB/T 10114 and the statistical codes built
on it: six digits for the district, three for the sub-district, three for the community, padded with
zeros). Below it, a dotted part follows for each level that exists: `340603008002.e1.g2.b3.u2`.
Levels may be missing (a street grid has no estate) but never change their order.
"""

import re

LEVELS = ("district", "sub_district", "community", "estate", "grid", "building", "unit")

_PART = r"(?:\.{letter}[1-9][0-9]{{0,4}})?"
_CODE = re.compile(
    r"(?P<district>[1-9][0-9]{5})(?P<sub_district>[0-9]{3})(?P<community>[0-9]{3})"
    rf"(?P<local>{''.join(_PART.format(letter=letter) for letter in 'egbu')})"
)
_LEVEL_OF_LETTER = {"e": "estate", "g": "grid", "b": "building", "u": "unit"}
_NONE = "000"


class MalformedCode(ValueError):
    """This is no area code."""


def level(code: str) -> str:
    """The level of the place that `code` names, one of LEVELS; raises MalformedCode."""
    _, sub_district, community, *local = _split(code)
    if local:
        return _LEVEL_OF_LETTER[local[-1][0]]
    if community != _NONE:
        return "community"
    return "district" if sub_district == _NONE else "sub_district"


def path(code: str) -> list[str]:
    """The codes from the district down to `code` itself; raises MalformedCode."""
    district, sub_district, community, *local = _split(code)
    official = [district + _NONE + _NONE]
    if sub_district != _NONE:
        official.append(district + sub_district + _NONE)
    if community != _NONE:
        official.append(district + sub_district + community)
    below = [".".join([official[-1], *local[:depth]]) for depth in range(1, len(local) + 1)]
    return official + below


def parent(code: str) -> str | None:
    """The code of the place right above, or None for a district; raises MalformedCode."""
    above = path(code)[:-1]
    return above[-1] if above else None


def community(code: str) -> str | None:
    """The community that a place is or lies in, or None for one that is larger; raises
    MalformedCode.
    """
    return next((around for around in path(code) if level(around) == "community"), None)


def routing(code: str) -> str:
    """The place in a routing key, such as `340603.008.002.e1.g2`: estate and grid are its finest
    parts; raises MalformedCode.
    """
    return ".".join(part for part in _tiers(code) if part[0] not in "bu")


def tree_key(code: str) -> str:
    """A text that sorts places as a tree and begins with the key of every ancestor; raises
    MalformedCode.

    `340603008002.e1.g12` gives `340603.008.002.e00001.g00012.`: official codes cannot serve, since
    a district's (`340603000000`) is no prefix of its communities' (`340603008002`). The closing dot
    keeps `e1` from holding `e10`, and the padding puts the second building before the tenth.
    """
    return "".join(
        f"{part[0]}{part[1:]:0>5}." if part[0] in _LEVEL_OF_LETTER else f"{part}."
        for part in _tiers(code)
    )


def contains(outer: str, inner: str) -> bool:
    """Whether `inner` is `outer` or lies in it; raises MalformedCode."""
    return tree_key(inner).startswith(tree_key(outer))


def _tiers(code: str) -> list[str]:
    """The parts of a code without the zeros that only pad it."""
    return [part for part in _split(code) if part != _NONE]


def _split(code: str) -> list[str]:
    match = _CODE.fullmatch(code)
    if match is None:
        raise MalformedCode(f"not an area code of 12 digits and dotted parts: {code!r:.60}")
    district, sub_district, community, local = match.groups()
    if sub_district == _NONE and community != _NONE:
        raise MalformedCode("an area code with a community needs its sub-district")
    if local and community == _NONE:
        raise MalformedCode("only a community's area code has dotted parts")
    return [district, sub_district, community, *local.split(".")[1:]]
