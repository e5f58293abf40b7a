"""Title and detail of every problem that the system answers with, in Chinese and in English.

A test collects the errors of all services and demands that each has its text here.
"""

from collections.abc import Mapping

from services.gateway.registry_texts import REGISTRY
from services.gateway.text import Text, both
from services.gateway.webhook_texts import WEBHOOKS

PROBLEMS: Mapping[str, Mapping[str, Text]] = {
    **REGISTRY,
    **WEBHOOKS,
    # What the protocol or the gateway refuses.
    "bad_request": both(
        "请求有误", "请求的格式不正确。", "Bad request", "The request is malformed."
    ),
    "broken_json": both(
        "JSON 有误",
        "请求正文不是有效的 JSON。",
        "Broken JSON",
        "The body is not valid JSON: check syntax, repeated names, numbers and encoding.",
    ),
    "wrong_media_type": both(
        "内容类型不对",
        "请求正文须以 application/json（UTF-8）发送。",
        "Wrong media type",
        "The body must be sent as application/json in UTF-8.",
    ),
    "not_a_form": both(
        "须以表单发送",
        "文件须作为 multipart/form-data 的 file 部分发送。",
        "Not a form",
        "A file must be sent as the part `file` of multipart/form-data.",
    ),
    "unsupported_media_type": both(
        "内容类型不对",
        "不接受这种内容类型。",
        "Unsupported media type",
        "This media type is not accepted.",
    ),
    "too_large": both(
        "内容过大", "请求正文超过了限制。", "Too large", "The body is over the limit."
    ),
    "length_required": both(
        "须注明长度",
        "请求须以 Content-Length 注明正文长度。",
        "Say how long it is",
        "The request must say with Content-Length how long its body is.",
    ),
    "request_timeout": both(
        "请求超时", "请求没有及时发送完。", "Too slow", "The request was not sent in time."
    ),
    "unauthenticated": both(
        "请先登录", "这一操作需要先登录。", "Sign in first", "This needs somebody who is signed in."
    ),
    "api_key_invalid": both(
        "密钥无效",
        "没有这一 API 密钥，或其已撤销。",
        "API key not valid",
        "There is no such API key, or it was revoked.",
    ),
    "token_invalid": both(
        "登录已失效",
        "登录凭证无效、已过期或已撤销，请重新登录。",
        "Token not valid",
        "The token is unknown, has run out or was revoked: sign in again.",
    ),
    "wrong_credentials": both(
        "登录失败",
        "登录名与密码不符，或验证码不正确或已失效。",
        "Not signed in",
        "Login and password do not fit, or the code is wrong or no longer good.",
    ),
    "sign_in_locked": both(
        "暂时锁定",
        "密码错误次数过多，请在 {retry_after} 秒后再试。",
        "Locked for now",
        "Too many wrong passwords; try again in {retry_after} seconds.",
    ),
    "too_many_codes": both(
        "验证码过多",
        "该手机号请求验证码过于频繁，请在 {retry_after} 秒后再试。",
        "Too many codes",
        "Too many codes were asked for this phone; try again in {retry_after} seconds.",
    ),
    "rate_exceeded": both(
        "请求过于频繁",
        "请在 {retry_after} 秒后再试。",
        "Too many requests",
        "Try again in {retry_after} seconds.",
    ),
    "too_many_requests": both(
        "请求过于频繁", "请稍后再试。", "Too many requests", "Try again later."
    ),
    "forbidden": both(
        "无权操作", "您的职责不包括这一操作。", "Not allowed", "This is not yours to do."
    ),
    "beyond_scopes": both(
        "超出密钥权限",
        "API 密钥不能给予自身没有的权限。创建登录账号须有全部权限。",
        "More than the key may do",
        "An API key gives nobody scopes that it has not, and a login only if it has all of them.",
    ),
    "not_found": both(
        "没有找到",
        "没有这一内容，或者您无权查看。",
        "Not found",
        "There is no such thing, or it is not yours to see.",
    ),
    "method_not_allowed": both(
        "方法不允许",
        "这一地址不支持该方法。",
        "Method not allowed",
        "This address does not know the method.",
    ),
    "gone": both("已不存在", "这一内容已不再保存。", "Gone", "It is no longer kept."),
    "conflict": both(
        "状态冲突", "当前状态不允许这一操作。", "Conflict", "The present state does not allow it."
    ),
    "stale": both(
        "内容已变更",
        "您读取之后它已被修改，请重新读取。",
        "It has changed",
        "It has changed since you read it: read it again.",
    ),
    "precondition_required": both(
        "须注明版本",
        "请用 If-Match 注明您读取的版本。",
        "Say which version",
        "Say with If-Match which version you have read.",
    ),
    "invalid": both(
        "内容不正确",
        "请检查列出的各项内容。",
        "Not valid",
        "Look at the fields that are listed.",
    ),
    "unavailable": both(
        "暂时无法办理",
        "请稍后再试。",
        "Not available now",
        "It cannot be done right now: try again.",
    ),
    "internal": both(
        "系统出错", "系统出现错误，已被记录。", "Our mistake", "Something went wrong on our side."
    ),
    "idempotency_key_malformed": both(
        "幂等键有误",
        "Idempotency-Key 须为 1 至 255 个可见的 ASCII 字符。",
        "Malformed Idempotency-Key",
        "An Idempotency-Key has 1 to 255 visible ASCII characters.",
    ),
    "idempotency_key_reused": both(
        "幂等键重复使用",
        "这个 Idempotency-Key 已用于另一内容。",
        "Idempotency-Key used before",
        "This Idempotency-Key was sent before with another body.",
    ),
    "still_running": both(
        "正在办理",
        "同一 Idempotency-Key 的请求仍在办理，请稍后再试。",
        "Still running",
        "The first request with this Idempotency-Key is still running: try again.",
    ),
    "command_reused": both(
        "请求重复",
        "这一请求已由他人发送。",
        "Sent before",
        "This request was sent before by somebody else.",
    ),
    "last_administrator": both(
        "最后一位管理员",
        "此人是最后一位管理员，请先设立另一位。",
        "The last administrator",
        "Nobody else could administer: make another administrator first.",
    ),
    "login_taken": both(
        "登录名已被使用", "请换一个登录名。", "Login taken", "Somebody else has this login."
    ),
    "unknown_person": both(
        "没有此人", "居民登记中没有此人。", "Unknown person", "There is no such person."
    ),
    # Tickets.
    "unknown_ticket": both(
        "没有这一工单",
        "没有这一工单，或者您无权查看。",
        "Unknown ticket",
        "There is no such ticket, or it is not yours to see.",
    ),
    "unknown_jurisdiction": both(
        "没有这一辖区",
        "没有这一区、街道或社区。",
        "Unknown jurisdiction",
        "There is no such district, sub-district or community here.",
    ),
    "illegal_move": both(
        "当前不能这样办理",
        "工单处于“{from}”状态，不能进行“{move}”。",
        "Not a move of this state",
        "A ticket in the state {from} does not allow the move {move}.",
    ),
    "already_excluded": both(
        "已经剔除",
        "工单已从这一指标中剔除。",
        "Excluded already",
        "The ticket is excluded from this rate already.",
    ),
    "not_excluded": both(
        "未被剔除",
        "工单未从这一指标中剔除。",
        "Not excluded",
        "The ticket is not excluded from this rate.",
    ),
    # Notifications.
    "no_inbox": both(
        "没有收件箱",
        "只有登录的个人才有收件箱。",
        "No inbox",
        "Only a person who has signed in has an inbox.",
    ),
    "unknown_notification": both(
        "没有这条消息",
        "您的收件箱中没有这条消息。",
        "Unknown message",
        "There is no such message in your inbox.",
    ),
    "unknown_template": both(
        "没有这一模板",
        "没有这一类通知、渠道和语言的模板。",
        "Unknown template",
        "There is no template of this purpose, channel and language.",
    ),
    "deliveries_forbidden": both(
        "无权查看", "投递记录仅供管理员查看。", "Not for you", "Deliveries are for administrators."
    ),
    "invalid_cursor": both(
        "位置无效", "这不是事件流的位置。", "Not a cursor", "This is no cursor of the event feed."
    ),
    "cursor_gone": both(
        "位置已失效",
        "该位置之后的事件已无法完整提供，请从头或从 restart_from 重新读取。",
        "Cursor gone",
        "What came after this cursor is not all there any more: begin anew, or at `restart_from`.",
    ),
    "bad_cursor": both(
        "翻页位置无效",
        "这不是本列表给出的翻页位置。",
        "Not a cursor",
        "The cursor is not one that this list gave.",
    ),
    "code_not_sent": both(
        "验证码未能发出",
        "请稍后再试。",
        "Code not sent",
        "The code could not be sent: try again shortly.",
    ),
    "code_refused": both(
        "无法发送到该号码",
        "无法向该号码发送短信。",
        "Number refused",
        "No message can be sent to this number.",
    ),
}
