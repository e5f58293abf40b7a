"""What the registry refuses, in Chinese and in English."""

from collections.abc import Mapping

from services.gateway.text import Text, both

REGISTRY: Mapping[str, Mapping[str, Text]] = {
    "area_exists": both(
        "区域已存在",
        "已有使用这一代码的区域。",
        "Area exists",
        "There is an area with this code already.",
    ),
    "department_exists": both(
        "部门已存在",
        "已有使用这一代码的部门。",
        "Department exists",
        "There is a department with this code already.",
    ),
    "duty_overlaps": both(
        "职责重叠",
        "此人在其中一些日子已有同一职责。",
        "Duty overlaps",
        "This person has the same duty on some of these days already.",
    ),
    "consent_given": both(
        "已经同意",
        "此人已同意这一用途。",
        "Agreed already",
        "This person has agreed to this purpose already.",
    ),
    "numbers_of_staff": both(
        "须由管理员办理",
        "此人担任职责，其手机号和证件号只能由管理员更改。",
        "For administrators",
        "Phone and ID number of whoever has a duty are for administrators to change.",
    ),
    "on_duty": both(
        "仍有职责",
        "此人仍有职责，须先结束其职责。",
        "On duty",
        "Whoever has a duty cannot be erased: end their duties first.",
    ),
    "resident_exists": both(
        "居民已登记",
        "已有使用这一手机号或证件号的居民。",
        "Resident exists",
        "Someone with this phone or ID number is registered already.",
    ),
    "care_tag_given": both(
        "标签已存在",
        "此人已有这一关爱标签。",
        "Care tag given",
        "This person has this care tag already.",
    ),
    "phone_withdrawn": both(
        "手机号已停用",
        "该手机号已从原居民名下移除，不能用于登录。请到社区服务窗口办理。",
        "Number withdrawn",
        "This number was taken from whom it belonged to, and signs nobody in. "
        "Ask at the community's desk.",
    ),
    "phone_on_hold": both(
        "新手机号暂不能登录",
        "该手机号由社区新近更换，为防冒用，自 {works_from:.16} 起方可登录。如有不符，请致电社区。",
        "Number too new",
        "The community changed this number a short while ago. So that nobody takes another's "
        "place, it signs in from {works_from:.16} on. If this is wrong, call the community.",
    ),
    "household_exists": both(
        "该户已登记",
        "该处已有登记的住户。",
        "Household exists",
        "There is a household at this door already.",
    ),
    "household_is_closed": both(
        "该户已注销",
        "该户已注销，不能再变更。",
        "Household closed",
        "This household has been closed.",
    ),
    "household_inhabited": both(
        "该户仍有人居住",
        "请先登记居住人员迁出。",
        "Household inhabited",
        "People live in this household: they move out first.",
    ),
    "already_member": both(
        "已在该户居住",
        "此人在其中某些日期已登记在该户居住。",
        "Lives there already",
        "This person lives in the household on some of these days already.",
    ),
    "head_exists": both(
        "已有户主",
        "该户在其中某些日期已有户主。",
        "Head exists",
        "The household has a head on some of these days already.",
    ),
    "residence_overlaps": both(
        "户籍住址重叠",
        "此人在其中某些日期的户籍住址登记在另一户。",
        "Residence overlaps",
        "This person is registered in another household on some of these days.",
    ),
}
