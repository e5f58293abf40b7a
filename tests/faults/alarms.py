"""The broker's alarms, which it raises when it runs out of memory or disk."""

from deploy.local.rabbitmq import PrivateRabbitMQ
from deploy.management import Management


def clear_alarms(broker: PrivateRabbitMQ) -> None:
    """Give it back what it had to begin with."""
    broker.control("set_vm_memory_high_watermark", "absolute", str(broker.limits["memory"]))
    broker.control("set_disk_free_limit", str(broker.limits["disk_free"]))


def has_alarms(broker: PrivateRabbitMQ) -> bool:
    """Whether any is raised. A broker that has just started tells nothing of itself for some
    seconds; it has its own limits again.
    """
    nodes = Management(broker.management_url).get("nodes") or []
    return any(node.get("mem_alarm") or node.get("disk_free_alarm") for node in nodes)
