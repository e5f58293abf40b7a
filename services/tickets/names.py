"""What codes are called: places and departments, as residents' events told."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Names:
    """For each code its record: `names` by language, an area's also with its `level`."""

    areas: Mapping[str, Mapping[str, Any]]
    departments: Mapping[str, Mapping[str, Any]]
