"""What official area codes and names say: the level and the ancestors of a code of the twelve-digit
table, and what a place is called when nobody is being official.
"""

import re
import unicodedata

# Digits that a level's codes begin with; the rest is zeros.
DIGITS = {"province": 2, "city": 4, "district": 6, "sub_district": 9, "community": 12}

_COMMITTEE = re.compile("(?:社区)?(?:居民委员会|居委会)$|村?(?:村民委员会|村委会)$")
# What a name ends with, the longer first. One goes, and only if two characters are left.
_SUFFIX = re.compile(
    "(?<=..)(?:街道办事处|特别行政区|自治区|自治州|自治县|自治旗|街道|社区|嘎查|地区|林区|新区"
    "|省|市|区|县|旗|盟|镇|乡|村)$"
)


def prefix(code: str) -> str:
    """What the codes of all that lies in a place begin with: `340600000000` gives `3406`. No
    official code begins with that of a place below a community.
    """
    ends = (digits for digits in DIGITS.values() if not code[digits:].strip("0"))
    return code[: next(ends, None)]


def ancestors(code: str) -> list[str]:
    """The codes above one, from the province down; some of them may not exist."""
    own = prefix(code)
    above = [code[:digits].ljust(12, "0") for digits in DIGITS.values() if digits < len(own)]
    return list(dict.fromkeys(above))


def short(name: str) -> str:
    """A community without its committee: `陈庄社区居民委员会` gives `陈庄社区`, and `李庄村委会`
    `李庄村`.
    """
    committee = _COMMITTEE.search(name)
    if committee is None or committee.start() == 0:
        return name
    return name[: committee.start()] + ("村" if "村" in committee[0] else "社区")


def alias(name: str) -> str:
    """What it is called for short: `陈庄社区居民委员会` gives `陈庄`, `东华门街道` `东华门`."""
    return _SUFFIX.sub("", short(name))


def spelt(text: str) -> str:
    """A name as it is looked for: width and spaces do not matter."""
    return "".join(unicodedata.normalize("NFKC", text).split())
