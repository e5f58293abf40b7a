"""The demo community as data: places, departments and people. Numbers and names are made up."""

from dataclasses import dataclass

COMMUNITY = "340603008002"
PLACES: dict[str, tuple[str, str]] = {
    "340603000000": ("相山区", "Xiangshan District"),
    "340603008000": ("曲阳街道", "Quyang Sub-district"),
    COMMUNITY: ("邻里社区", "Linli Community"),
    f"{COMMUNITY}.e1": ("向阳小区", "Xiangyang Estate"),
    f"{COMMUNITY}.e2": ("和平小区", "Heping Estate"),
    f"{COMMUNITY}.e1.g1": ("第一网格", "Grid 1"),
    f"{COMMUNITY}.e1.g2": ("第二网格", "Grid 2"),
    f"{COMMUNITY}.e2.g3": ("第三网格", "Grid 3"),
}
GRIDS = ("e1.g1", "e1.g2", "e2.g3")
BUILDINGS_OF_A_GRID = UNITS_OF_A_BUILDING = 2

DEPARTMENTS: dict[str, tuple[str, str]] = {
    "water": ("供水公司", "Water company"),
    "power": ("供电公司", "Power company"),
    "gas": ("燃气公司", "Gas company"),
    "heating": ("热力公司", "Heating company"),
    "roads": ("市政道路", "Roads department"),
    "sanitation": ("环卫所", "Sanitation"),
    "greening": ("园林绿化", "Parks and greening"),
    "property": ("物业公司", "Property company"),
    "police": ("派出所", "Police station"),
    "enforcement": ("城管执法", "City enforcement"),
    "fire": ("消防救援", "Fire brigade"),
    "health": ("社区卫生服务中心", "Health centre"),
    "civil_affairs": ("民政办", "Civil affairs"),
    "housing": ("住建局", "Housing department"),
    "telecom": ("通信公司", "Telecoms"),
    "market": ("市场监管所", "Market supervision"),
    "environment": ("生态环境局", "Environment department"),
    "transport": ("交通运输局", "Transport department"),
    "education": ("教育局", "Education department"),
    "social_security": ("人社所", "Social security"),
}


@dataclass(frozen=True)
class Person:
    """Somebody of the demo; `duty` is a role with the area's suffix or the department's code."""

    name: str
    phone: str
    login: str | None = None
    role: str | None = None
    where: str | None = None


PEOPLE: dict[str, Person] = {
    "secretary": Person("周敏", "13800000010", "secretary", "secretary", ""),
    "staff": Person("李静", "13800000011", "staff", "clerk", ""),
    "grid_worker": Person("张伟", "13800000012", "grid_worker", "grid_worker", "e1.g1"),
    "grid_worker_2": Person("刘洋", "13800000013", "grid_worker_2", "grid_worker", "e1.g2"),
    "grid_worker_3": Person("陈杰", "13800000014", "grid_worker_3", "grid_worker", "e2.g3"),
    "water": Person("孙涛", "13800000015", "water", "department_clerk", "water"),
    "roads": Person("赵磊", "13800000016", "roads", "department_clerk", "roads"),
    "resident": Person("王芳", "13800000001", where="e1.g1.b1.u1"),
    "neighbour": Person("吴强", "13800000002", where="e1.g1.b1.u2"),
    "resident_2": Person("郑丽", "13800000003", where="e2.g3.b5.u1"),
}


def places() -> dict[str, tuple[str, str]]:
    """Every place, parents before children, with its names in Chinese and English."""
    every = dict(PLACES)
    for grid_number, grid in enumerate(GRIDS):
        for offset in range(1, BUILDINGS_OF_A_GRID + 1):
            number = grid_number * BUILDINGS_OF_A_GRID + offset
            building = f"{COMMUNITY}.{grid}.b{number}"
            every[building] = (f"{number}号楼", f"Building {number}")
            for unit in range(1, UNITS_OF_A_BUILDING + 1):
                every[f"{building}.u{unit}"] = (f"{unit}单元", f"Unit {unit}")
    return every


def area(person: Person) -> str:
    """The area a person lives in or has a duty in."""
    return f"{COMMUNITY}.{person.where}" if person.where else COMMUNITY


def scope(person: Person) -> dict[str, str]:
    """What a person's duty is bound to: an area or, for its clerks, a department."""
    if person.role == "department_clerk":
        return {"department": person.where or ""}
    return {"area": area(person)}
