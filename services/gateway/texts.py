"""What problems say to their reader: the texts of `problem_texts` with their parameters in words,
and messages about fields.
"""

from collections.abc import Mapping
from typing import Any

from services.gateway.problem_texts import PROBLEMS

# By the code of a fault, in Chinese; in English the fault's own message is shown.
FIELDS: Mapping[str, str] = {
    "required": "此项必填。",
    "unknown_field": "没有这一项。",
    "null": "此项不能为空。",
    "repeated": "此项只能给出一次。",
    "empty_file": "文件是空的。",
    "not_a_spreadsheet": "文件既不是 CSV，也不是 XLSX。",
    "invalid_text": "文字中有无法保存的字符。",
    "invalid_value": "此项的内容不正确。",
    "bad_cursor": "这不是本列表给出的翻页位置。",
    "invalid_cursor": "这不是本列表给出的翻页位置。",
    "unknown_area": "没有这一区域。",
    "unknown_household": "此处没有登记住户。",
    "outside_jurisdiction": "该地点不在所给的辖区内。",
    "ambiguous_jurisdiction": "此处有多个社区，请注明是哪一个。",
    "unknown_attribute": "这一类别没有这一项。",
    "not_a_place": "请给出坐标、地址或地点编码。",
    "not_both": "经度和纬度须同时给出。",
    "period_past_90_days": "一次最多查询九十天。",
    "too_far": "翻页过远，请缩短时间段。",
    "no_files": "此处不接收文件，请用 media_url 给出网址。",
    "area_too_wide": "请选择社区或社区内的地点。",
    "unknown_parent": "上一级区域尚未建立。",
    "unknown_category": "没有这一类别。",
    "category_is_a_group": "请选择该组中的一个类别。",
    "unknown_department": "没有这一部门，或其已停用。",
    "inactive_department": "这一部门不再受理工单。",
    "unknown_person": "没有此人。",
    "not_of_department": "此人不属于该部门。",
    "not_on_duty": "此人今日没有职责。",
    "wrong_level": "该职责不设在这一级区域。",
    "not_for_role": "该职责没有部门。",
    "before_start": "最后一天早于第一天。",
    "unknown_purpose": "没有这一类通知。",
    "unknown_channel": "这一类通知不经由该渠道发送。",
    "unknown_part": "该渠道没有这一部分。",
    "missing_part": "缺少这一部分。",
    "empty_part": "这一部分没有内容。",
    "too_long": "这一部分过长。",
    "template_syntax": "模板无法解析，位置末尾是行号。",
    "not_in_templates": "模板中不能使用这一写法，位置末尾是行号。",
    "unknown_variable": "这一类通知没有该变量，位置末尾是行号。",
    "missing_variable": "这一部分须写明所指的内容（编号、验证码或条数）。",
    "absent_variable": "这项内容可能没有（有的渠道总是没有），须先用 if 判断。",
    "too_many_segments": "短信过长。",
    "cannot_be_turned_off": "此项不能关闭。",
    "period_too_long": "一次最多查询一年。",
    "in_the_future": "时间不能在将来。",
    "only_by_call": "只有打过回访电话的人才能这样填写。",
    "not_a_member": "此人不在该户居住。",
    "no_grid": "请注明所在的网格。",
    "no_building": "请注明所在的楼栋。",
    "unknown_event_type": "没有这一类事件。",
    "department_required": "请注明部门。",
    "malformed_url": "这不是网址。",
    "https_required": "网址须以 https:// 开头。",
    "user_in_url": "网址中不能有用户名和密码。",
    "fragment_in_url": "网址中不能有 # 之后的部分。",
    "address_refused": "不向这一地址发送。",
    "not_this_robot": "这不是该类群机器人的地址。",
    "no_robot_secret": "这一格式没有 robot_secret。",
    "not_for_robots": "群机器人不能先行询问。",
    "before_last_move": "时间不能早于工单的上一次变更。",
}

# States and moves as residents know them.
WORDS: Mapping[str, str] = {
    "filed": "已登记",
    "accepted": "已受理",
    "assigned": "已派单",
    "in_progress": "办理中",
    "resolved": "已办结待回访",
    "closed": "已归档",
    "refused": "不予受理",
    "withdrawn": "已撤回",
    "acceptance": "受理",
    "refusal": "不予受理",
    "assignment": "派单",
    "work": "开始办理",
    "send-back": "退回",
    "resolution": "办结",
    "follow-up": "回访",
    "reopening": "重新办理",
    "withdrawal": "撤回",
}

# Where requests come in.
CHANNELS: Mapping[str, str] = {
    "page": "网页",
    "phone": "电话",
    "counter": "窗口",
    "home_visit": "走访",
    "meeting": "议事会",
    "fair": "邻里节",
    "chat_group": "微信群",
    "hotline": "热线",
    "open311": "Open311",
    "patrol": "巡查",
}

# By the message of a fault whose code says no more than that it is one.
VALUES: Mapping[str, str] = {
    "Not a valid phone number.": "不是有效的电话号码。",
    "Not a valid resident ID number of 18 characters.": "不是有效的居民身份证号，请核对 18 位。",
    "Not a valid e-mail address.": "不是有效的电子邮箱地址。",
    "Not a valid date.": "不是有效的日期，请按 2026-11-01 的写法。",
    "Not a valid date-time.": "不是有效的时间，须写明时区。",
    "Not an area code of 12 digits and dotted parts.": "不是有效的区域代码。",
}


class GatewayTexts:
    """What `chassis.problems` asks for texts."""

    def problem(self, code: str, locale: str, params: Mapping[str, Any]) -> tuple[str, str] | None:
        """Title and detail of a problem; None when there is no text for it."""
        languages = PROBLEMS.get(code)
        if languages is None:
            return None
        text = languages.get(locale) or languages["en"]
        words = WORDS if locale == "zh-CN" else {}
        told = {name: words.get(str(value), value) for name, value in params.items()}
        return text.title, text.detail.format_map(_Params(told))

    def field(self, code: str, locale: str, message: str) -> str | None:
        """A message about one field; None leaves the message, which is English."""
        return VALUES.get(message) or FIELDS.get(code) if locale == "zh-CN" else None


class _Params(dict[str, Any]):
    """Parameters of a problem; one that is missing leaves a gap rather than an error."""

    def __missing__(self, _name: str) -> str:
        return "…"


TEXTS = GatewayTexts()
