"""Where a household lies: in exactly one building and one grid, as far as its place is divided into
any.

The two follow from the path of the household's area, so there is never more than one of each. An
area whose path lacks one will do only where none of that tier exists: were there any, the household
would be in nobody's grid, and the figures by grid or building would not add up to those of the
whole.
"""

from collections.abc import Iterator

from services.residents import area_codes

TIERS = ("grid", "building")


def place(code: str, level: str) -> str | None:
    """The place of that level which `code` is or lies in, or None; raises MalformedCode."""
    return next(
        (above for above in area_codes.path(code) if area_codes.level(above) == level), None
    )


def is_wide(code: str) -> bool:
    """Whether the place is above a community, where no door is."""
    return area_codes.level(code) in ("district", "sub_district")


def lacking(code: str) -> Iterator[tuple[str, str]]:
    """For each tier that the path of `code` lacks: the tier, and the place in which there may be
    none of it.
    """
    path = area_codes.path(code)
    for level in TIERS:
        if place(code, level) is None:
            rank = area_codes.LEVELS.index(level)
            above = [at for at in path if area_codes.LEVELS.index(area_codes.level(at)) < rank]
            yield level, above[-1]
