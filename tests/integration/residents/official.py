"""A small archive in the form of the npm package that the official area codes come in."""

import io
import tarfile
from pathlib import Path

FILES = {
    "provinces": ["code,name", '34,"安徽省"', '44,"广东省"'],
    "cities": ["code,name,provinceCode", '3406,"淮北市",34', '4419,"东莞市",44'],
    "areas": [
        "code,name,cityCode,provinceCode",
        '340603,"杜集区",3406,34',
        '441900,"东莞市",4419,44',
    ],
    "streets": [
        "code,name,areaCode,provinceCode,cityCode",
        '340603009,"高岳街道",340603,34,3406',
        '441900003,"东城街道",441900,44,4419',
    ],
    "villages": [
        "code,name,streetCode,provinceCode,cityCode,areaCode",
        '340603009001,"陈庄社区居民委员会",340603009,34,3406,340603',
        '340603009002,"陈庄新村社区居委会",340603009,34,3406,340603',
        '340603009003,"陈庄",340603009,34,3406,340603',
        '441900003001,"陈庄村委会",441900003,44,4419,441900',
    ],
}


def archive(path: Path, **changed: list[str]) -> Path:
    """An archive of a few places, in which some files are others."""
    with tarfile.open(path, "w:gz") as packed:
        for name, lines in {**FILES, **changed}.items():
            content = "\n".join(lines).encode()
            member = tarfile.TarInfo(f"package/dist/{name}.csv")
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))
    return path
