"""The dashboards, a line a panel. `python -m deploy.grafana.dashboards` writes them as Grafana
reads them, into deploy/grafana/dashboards/; a test fails when those are stale.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "dashboards"
_SOURCE = {"type": "prometheus", "uid": "prometheus"}
_WIDE = 24  # columns of a page of Grafana's


@dataclass(frozen=True)
class Panel:
    """One picture: a query for each legend (which may name `{{labels}}`). `unit` is Grafana's."""

    title: str
    queries: Mapping[str, str]
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 8
    height: int = 7


def stat(title: str, query: str, unit: str = "short") -> Panel:
    """One large number."""
    return Panel(title, {"": query}, unit, kind="stat", width=4, height=4)


def quantile(share: float, metric: str, by: str, where: str) -> str:
    """The query for a quantile of a histogram of ours."""
    return f"histogram_quantile({share}, sum by ({by}) (rate({metric}_bucket{{{where}}}[5m])))"


FILING = 'job="gateway", method="file_ticket"'
OVERVIEW = [
    stat("告警 · Alerts", 'count(ALERTS{alertstate="firing"}) or vector(0)'),
    stat("在线副本 · Replicas up", 'sum(up{job!~"rabbitmq.*"})'),
    stat("一小时内失败 · Failed in an hour", "linli:http_failures:ratio_rate1h", "percentunit"),
    stat("未办结诉求 · Tickets not done", "sum(linli_tickets_unfinished)"),
    stat("死信 · Dead letters", "sum(max by (queue) (linli_dead_letters)) or vector(0)"),
    stat("最早未发事件 · Oldest event waiting", "max(linli_outbox_seconds)", "s"),
    Panel(
        "请求 · Requests",
        {"{{status}}": 'sum by (status) (rate(linli_http_requests_total{job="gateway"}[5m]))'},
        "reqps",
    ),
    Panel(
        "登记诉求用时 · Filing takes",
        {
            "p50": quantile(0.5, "linli_entrypoint_seconds", "le", FILING),
            "p95": quantile(0.95, "linli_entrypoint_seconds", "le", FILING),
        },
        "s",
    ),
    Panel(
        "未办结诉求 · Tickets not done",
        {"{{state}}": "sum by (state) (linli_tickets_unfinished)"},
    ),
    Panel(
        "通知 · People told",
        {
            "{{channel}} {{reason}}": (
                "sum by (channel, reason) (increase(linli_deliveries_total[5m])) > 0"
            )
        },
    ),
    Panel(
        "事件 · Events",
        {
            "relayed": "sum(rate(linli_events_relayed_total[5m]))",
            "{{outcome}}": "sum by (outcome) (rate(linli_events_consumed_total[5m]))",
        },
        "cps",
    ),
    Panel(
        "事件流 · The feed",
        {"behind": "min(linli_feed_behind)", "followers": "sum(linli_stream_clients)"},
    ),
]

_JOB = 'job=~"$job"'
SERVICES = [
    Panel(
        "未通过的检查 · Checks failing",
        {"{{job}} {{check}}": f"max by (job, check) (linli_check_failing{{{_JOB}}}) > 0"},
    ),
    Panel(
        "方法用时 p95 · Methods take, p95",
        {
            "{{job}} {{method}}": "topk(10, "
            + quantile(0.95, "linli_entrypoint_seconds", "job, method, le", _JOB)
            + ")"
        },
        "s",
    ),
    Panel(
        "方法出错 · Methods end in errors",
        {
            "{{job}} {{method}} {{outcome}}": "topk(10, sum by (job, method, outcome) (rate("
            f'linli_entrypoint_outcomes_total{{{_JOB}, outcome!="ok"}}[5m])) > 0)'
        },
        "cps",
    ),
    Panel(
        "无应答的调用 · Calls unanswered",
        {
            "{{job}} → {{service}} {{reason}}": "sum by (job, service, reason) "
            f"(rate(linli_rpc_unanswered_total{{{_JOB}}}[5m]))"
        },
        "cps",
    ),
    Panel(
        "数据库连接 · Database connections",
        {
            "{{job}} in use": f"sum by (job) (linli_pool_in_use{{{_JOB}}})",
            "{{job}} at most": f"sum by (job) (linli_pool_size{{{_JOB}}})",
            "{{job}} waits": (
                f"sum by (job) (increase(linli_pool_wait_seconds_count{{{_JOB}}}[5m]))"
            ),
        },
    ),
    Panel(
        "事件循环延迟 p99 · Lag of the event loop, p99",
        {"{{job}}": quantile(0.99, "linli_hub_lag_seconds", "job, le", _JOB)},
        "s",
    ),
    Panel(
        "发件箱 · Outbox",
        {"{{job}} events": f"max by (job) (linli_outbox_rows{{{_JOB}}})"},
    ),
    Panel(
        "转发进程 · Relays",
        {"{{job}} {{state}}": f"sum by (job, state) (linli_relays{{{_JOB}}})"},
    ),
    Panel(
        "拒收与重启 · Refused, and died",
        {
            "{{job}} refused": f"sum by (job) (increase(linli_relay_refusals_total{{{_JOB}}}[5m]))",
            "{{job}} {{helper}} died": (
                f"sum by (job, helper) (increase(linli_helpers_died_total{{{_JOB}}}[5m]))"
            ),
        },
    ),
    Panel(
        "事件处理 · Events consumed",
        {
            "{{queue}} {{outcome}}": "sum by (queue, outcome) "
            f'(rate(linli_events_consumed_total{{{_JOB}, outcome!="handled"}}[5m]))'
        },
        "cps",
    ),
    Panel(
        "队列长度 · Queues",
        {"{{queue}}": "topk(10, max by (queue) (rabbitmq_detailed_queue_messages))"},
    ),
    Panel(
        "消息代理内存 · Memory of the broker",
        {
            "in use": "sum(rabbitmq_process_resident_memory_bytes)",
            "blocks publishers at": "sum(rabbitmq_resident_memory_limit_bytes)",
        },
        "bytes",
    ),
    Panel(
        "内存 · Memory",
        {"{{job}} {{instance}}": f"process_resident_memory_bytes{{{_JOB}}}"},
        "bytes",
    ),
    Panel(
        "CPU",
        {"{{job}} {{instance}}": f"rate(process_cpu_seconds_total{{{_JOB}}}[5m])"},
        "percentunit",
    ),
    Panel(
        "版本 · Versions",
        {"{{job}} {{version}}": f"count by (job, version) (linli_build_info{{{_JOB}}})"},
    ),
]
_CHOICE = {
    "name": "job",
    "type": "query",
    "label": "服务 · Service",
    "datasource": _SOURCE,
    "query": "label_values(linli_build_info, job)",
    "refresh": 2,
    "includeAll": True,
    "multi": True,
    "current": {"text": "All", "value": "$__all"},
}


def dashboards() -> dict[str, dict[str, Any]]:
    """Each dashboard by the name of its file."""
    return {
        "overview.json": _dashboard("linli-overview", "邻里有人管吗 · Is all served", OVERVIEW),
        "services.json": _dashboard(
            "linli-services", "服务与总线 · Services and bus", SERVICES, _CHOICE
        ),
    }


def written(dashboard: Mapping[str, Any]) -> str:
    """As it stands in its file."""
    return json.dumps(dashboard, ensure_ascii=False, indent=1) + "\n"


def _dashboard(
    uid: str, title: str, panels: Sequence[Panel], *choices: Mapping[str, Any]
) -> dict[str, Any]:
    return {
        "uid": uid,
        "title": title,
        "tags": ["linli"],
        "schemaVersion": 39,
        "timezone": "browser",
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": list(choices)},
        "panels": _placed(panels),
    }


def _placed(panels: Sequence[Panel]) -> list[dict[str, Any]]:
    """The panels from left to right, in rows as high as the first of each."""
    placed, x, y, height = [], 0, 0, 0
    for number, panel in enumerate(panels, start=1):
        if x + panel.width > _WIDE:
            x, y = 0, y + height
        height = panel.height
        place = {"x": x, "y": y, "w": panel.width, "h": panel.height}
        placed.append(_drawn(panel) | {"id": number, "gridPos": place})
        x += panel.width
    return placed


def _drawn(panel: Panel) -> dict[str, Any]:
    targets = [
        {"refId": chr(65 + number), "expr": query, "legendFormat": legend, "datasource": _SOURCE}
        for number, (legend, query) in enumerate(panel.queries.items())
    ]
    return {
        "type": panel.kind,
        "title": panel.title,
        "datasource": _SOURCE,
        "targets": targets,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0}, "overrides": []},
    }


def main() -> None:
    """Write all of them."""
    FOLDER.mkdir(exist_ok=True)
    for name, dashboard in dashboards().items():
        (FOLDER / name).write_text(written(dashboard), encoding="utf-8")


if __name__ == "__main__":
    main()
