"""The text of a problem in each language."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Text:
    """A problem in one language; `detail` may name parameters of the problem, such as `{move}`."""

    title: str
    detail: str


def both(zh_title: str, zh: str, en_title: str, en: str) -> dict[str, Text]:
    """A problem's texts: title and detail in Chinese, then in English."""
    return {"zh-CN": Text(zh_title, zh), "en": Text(en_title, en)}
