"""The figures of the month, from the API and from those who only listened, side by side."""

from collections.abc import Mapping
from typing import Any

from deploy.api import Api
from deploy.demo.community import COMMUNITY
from deploy.demo.plan import FIRST_DAY, LAST_DAY
from deploy.demo.tally import Figures

_OPEN = "filed,accepted,assigned,in_progress,resolved"


def show(api: Api, heard: Mapping[str, Figures]) -> int:
    """Print them; 0 when all sources agree, else 1."""
    rates = api.get("rates", area=COMMUNITY, **{"from": FIRST_DAY, "to": LAST_DAY})
    share, resolution = rates["solved_share"], rates["resolution_rate"]
    told = Figures(
        collected=share["denominator"],
        solved=share["numerator"],
        asked=resolution["denominator"],
    )
    sources = {"API": told, **heard}
    print(f"\n{'':24}" + "".join(f"{name:>12}" for name in sources))
    for name in ("collected", "solved", "asked"):
        row = "".join(f"{getattr(figures, name):>12}" for figures in sources.values())
        print(f"{name:24}{row}")
    print(f"\n{'solved share':24}{_rate(share)}")
    for name in ("response_rate", "resolution_rate", "satisfaction_rate"):
        print(f"{name.replace('_', ' '):24}{_rate(rates[name])}")
    _show_open(api)
    agree = len(set(sources.values())) == 1
    print("\nAll sources agree." if agree else "\nThe sources DISAGREE.")
    return 0 if agree else 1


def _rate(rate: Mapping[str, Any]) -> str:
    value = "–" if rate["value"] is None else f"{100 * rate['value']:.1f} %"
    return f"{value:>8}  ({rate['numerator']} of {rate['denominator']})"


def _show_open(api: Api) -> None:
    print("\nStill open, and why:")
    for ticket in api.items("tickets", area=COMMUNITY, state=_OPEN, sort="filed_at"):
        comments = list(api.items(f"tickets/{ticket['id']}/comments"))
        reason = comments[-1]["text"] if comments else ""
        print(f"  {ticket['number']}  {ticket['title']}  {_holder(ticket)}  {reason}")


def _holder(ticket: Mapping[str, Any]) -> str:
    return ticket["department"] or ticket["assignee"] or ""
