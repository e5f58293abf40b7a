"""What problems with webhooks say."""

from collections.abc import Mapping

from services.gateway.text import Text, both

WEBHOOKS: Mapping[str, Mapping[str, Text]] = {
    "unknown_webhook": both(
        "没有这一 webhook",
        "没有这一 webhook，或您无权查看。",
        "Unknown webhook",
        "There is no such webhook, or it is not yours to see.",
    ),
    "webhook_not_active": both(
        "Webhook 未启用",
        "这一 webhook 未启用，请先启用。",
        "Webhook not active",
        "This webhook is not active: enable it first.",
    ),
    "too_many_webhooks": both(
        "Webhook 过多",
        "已有的 webhook 过多，请先删除不用的。",
        "Too many webhooks",
        "There are as many webhooks as there may be: delete one first.",
    ),
    "too_many_secrets": both(
        "密钥过多",
        "同时有效的密钥最多三个，请先停用一个。",
        "Too many secrets",
        "Three secrets are live: end one first.",
    ),
    "last_secret": both(
        "最新的密钥",
        "最新的密钥不能停用，请先生成新的密钥。",
        "The newest secret",
        "The newest secret cannot be ended: make another one first.",
    ),
    "key_lost": both(
        "密钥已丢失",
        "已保存的地址和密钥无法打开，请重新提供 url 和 robot_secret。",
        "Key lost",
        "Its stored address and secret do not open: give url and robot_secret anew.",
    ),
    "not_for_robots": both(
        "群机器人不用此密钥",
        "群机器人用其自身的密钥签名，请修改 robot_secret。",
        "Not for robots",
        "A group robot is signed with a secret of its own: change its robot_secret.",
    ),
}
