"""Title and detail of every problem that the system answers with, in Chinese and in English.

A test collects the errors of all services and demands that each has its text here.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Text:
    """A problem in one language; `detail` may name parameters of the problem, such as `{move}`."""

    title: str
    detail: str


def _both(zh_title: str, zh: str, en_title: str, en: str) -> dict[str, Text]:
    return {"zh-CN": Text(zh_title, zh), "en": Text(en_title, en)}


PROBLEMS: Mapping[str, Mapping[str, Text]] = {
    # What the protocol or the gateway refuses.
    "bad_request": _both(
        "请求有误", "请求的格式不正确。", "Bad request", "The request is malformed."
    ),
    "broken_json": _both(
        "JSON 有误",
        "请求正文不是有效的 JSON。",
        "Broken JSON",
        "The body is not valid JSON: check syntax, repeated names, numbers and encoding.",
    ),
    "wrong_media_type": _both(
        "内容类型不对",
        "请求正文须以 application/json（UTF-8）发送。",
        "Wrong media type",
        "The body must be sent as application/json in UTF-8.",
    ),
    "not_a_form": _both(
        "须以表单发送",
        "文件须作为 multipart/form-data 的 file 部分发送。",
        "Not a form",
        "A file must be sent as the part `file` of multipart/form-data.",
    ),
    "unsupported_media_type": _both(
        "内容类型不对",
        "不接受这种内容类型。",
        "Unsupported media type",
        "This media type is not accepted.",
    ),
    "too_large": _both(
        "内容过大", "请求正文超过了限制。", "Too large", "The body is over the limit."
    ),
    "length_required": _both(
        "须注明长度",
        "请求须以 Content-Length 注明正文长度。",
        "Say how long it is",
        "The request must say with Content-Length how long its body is.",
    ),
    "request_timeout": _both(
        "请求超时", "请求没有及时发送完。", "Too slow", "The request was not sent in time."
    ),
    "unauthenticated": _both(
        "请先登录", "这一操作需要先登录。", "Sign in first", "This needs somebody who is signed in."
    ),
    "token_invalid": _both(
        "登录已失效",
        "登录凭证无效、已过期或已撤销，请重新登录。",
        "Token not valid",
        "The token is unknown, has run out or was revoked: sign in again.",
    ),
    "wrong_credentials": _both(
        "登录失败",
        "登录名与密码不符，或验证码不正确或已失效。",
        "Not signed in",
        "Login and password do not fit, or the code is wrong or no longer good.",
    ),
    "sign_in_locked": _both(
        "暂时锁定",
        "密码错误次数过多，请在 {retry_after} 秒后再试。",
        "Locked for now",
        "Too many wrong passwords; try again in {retry_after} seconds.",
    ),
    "too_many_codes": _both(
        "验证码过多",
        "该手机号请求验证码过于频繁，请在 {retry_after} 秒后再试。",
        "Too many codes",
        "Too many codes were asked for this phone; try again in {retry_after} seconds.",
    ),
    "rate_exceeded": _both(
        "请求过于频繁",
        "请在 {retry_after} 秒后再试。",
        "Too many requests",
        "Try again in {retry_after} seconds.",
    ),
    "too_many_requests": _both(
        "请求过于频繁", "请稍后再试。", "Too many requests", "Try again later."
    ),
    "forbidden": _both(
        "无权操作", "您的职责不包括这一操作。", "Not allowed", "This is not yours to do."
    ),
    "not_found": _both(
        "没有找到",
        "没有这一内容，或者您无权查看。",
        "Not found",
        "There is no such thing, or it is not yours to see.",
    ),
    "method_not_allowed": _both(
        "方法不允许",
        "这一地址不支持该方法。",
        "Method not allowed",
        "This address does not know the method.",
    ),
    "gone": _both("已不存在", "这一内容已不再保存。", "Gone", "It is no longer kept."),
    "conflict": _both(
        "状态冲突", "当前状态不允许这一操作。", "Conflict", "The present state does not allow it."
    ),
    "stale": _both(
        "内容已变更",
        "您读取之后它已被修改，请重新读取。",
        "It has changed",
        "It has changed since you read it: read it again.",
    ),
    "precondition_required": _both(
        "须注明版本",
        "请用 If-Match 注明您读取的版本。",
        "Say which version",
        "Say with If-Match which version you have read.",
    ),
    "invalid": _both(
        "内容不正确",
        "请检查列出的各项内容。",
        "Not valid",
        "Look at the fields that are listed.",
    ),
    "unavailable": _both(
        "暂时无法办理",
        "请稍后再试。",
        "Not available now",
        "It cannot be done right now: try again.",
    ),
    "internal": _both(
        "系统出错", "系统出现错误，已被记录。", "Our mistake", "Something went wrong on our side."
    ),
    "idempotency_key_malformed": _both(
        "幂等键有误",
        "Idempotency-Key 须为 1 至 255 个可见的 ASCII 字符。",
        "Malformed Idempotency-Key",
        "An Idempotency-Key has 1 to 255 visible ASCII characters.",
    ),
    "idempotency_key_reused": _both(
        "幂等键重复使用",
        "这个 Idempotency-Key 已用于另一内容。",
        "Idempotency-Key used before",
        "This Idempotency-Key was sent before with another body.",
    ),
    "still_running": _both(
        "正在办理",
        "同一 Idempotency-Key 的请求仍在办理，请稍后再试。",
        "Still running",
        "The first request with this Idempotency-Key is still running: try again.",
    ),
    "command_reused": _both(
        "请求重复",
        "这一请求已由他人发送。",
        "Sent before",
        "This request was sent before by somebody else.",
    ),
    "login_taken": _both(
        "登录名已被使用", "请换一个登录名。", "Login taken", "Somebody else has this login."
    ),
    "unknown_person": _both(
        "没有此人", "居民登记中没有此人。", "Unknown person", "There is no such person."
    ),
    # The registry.
    "area_exists": _both(
        "区域已存在",
        "已有使用这一代码的区域。",
        "Area exists",
        "There is an area with this code already.",
    ),
    "department_exists": _both(
        "部门已存在",
        "已有使用这一代码的部门。",
        "Department exists",
        "There is a department with this code already.",
    ),
    "duty_overlaps": _both(
        "职责重叠",
        "此人在其中一些日子已有同一职责。",
        "Duty overlaps",
        "This person has the same duty on some of these days already.",
    ),
    "consent_given": _both(
        "已经同意",
        "此人已同意这一用途。",
        "Agreed already",
        "This person has agreed to this purpose already.",
    ),
    "on_duty": _both(
        "仍有职责",
        "此人仍有职责，须先结束其职责。",
        "On duty",
        "Whoever has a duty cannot be erased: end their duties first.",
    ),
    "resident_exists": _both(
        "居民已登记",
        "已有使用这一手机号或证件号的居民。",
        "Resident exists",
        "Someone with this phone or ID number is registered already.",
    ),
    "household_exists": _both(
        "该户已登记",
        "该处已有登记的住户。",
        "Household exists",
        "There is a household at this door already.",
    ),
    "household_is_closed": _both(
        "该户已注销",
        "该户已注销，不能再变更。",
        "Household closed",
        "This household has been closed.",
    ),
    # Tickets.
    "unknown_ticket": _both(
        "没有这一工单",
        "没有这一工单，或者您无权查看。",
        "Unknown ticket",
        "There is no such ticket, or it is not yours to see.",
    ),
    "illegal_move": _both(
        "当前不能这样办理",
        "工单处于“{from}”状态，不能进行“{move}”。",
        "Not a move of this state",
        "A ticket in the state {from} does not allow the move {move}.",
    ),
    "already_excluded": _both(
        "已经剔除",
        "工单已从这一指标中剔除。",
        "Excluded already",
        "The ticket is excluded from this rate already.",
    ),
    "not_excluded": _both(
        "未被剔除",
        "工单未从这一指标中剔除。",
        "Not excluded",
        "The ticket is not excluded from this rate.",
    ),
    # Notifications.
    "no_inbox": _both(
        "没有收件箱",
        "只有登录的个人才有收件箱。",
        "No inbox",
        "Only a person who has signed in has an inbox.",
    ),
    "unknown_notification": _both(
        "没有这条消息",
        "您的收件箱中没有这条消息。",
        "Unknown message",
        "There is no such message in your inbox.",
    ),
    "deliveries_forbidden": _both(
        "无权查看", "投递记录仅供管理员查看。", "Not for you", "Deliveries are for administrators."
    ),
    "invalid_cursor": _both(
        "位置无效", "这不是事件流的位置。", "Not a cursor", "This is no cursor of the event feed."
    ),
    "cursor_gone": _both(
        "位置已失效",
        "该位置之后的事件已无法完整提供，请从头或从 restart_from 重新读取。",
        "Cursor gone",
        "What came after this cursor is not all there any more: begin anew, or at `restart_from`.",
    ),
    "bad_cursor": _both(
        "翻页位置无效",
        "这不是本列表给出的翻页位置。",
        "Not a cursor",
        "The cursor is not one that this list gave.",
    ),
    "code_not_sent": _both(
        "验证码未能发出",
        "请稍后再试。",
        "Code not sent",
        "The code could not be sent: try again shortly.",
    ),
    "code_refused": _both(
        "无法发送到该号码",
        "无法向该号码发送短信。",
        "Number refused",
        "No message can be sent to this number.",
    ),
}
