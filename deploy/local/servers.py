"""The private servers, for those who need either: the launcher and the tests."""

from deploy.local.postgres import DURABLE, FLEETING, PrivatePostgres
from deploy.local.rabbitmq import PrivateRabbitMQ

__all__ = ["DURABLE", "FLEETING", "PrivatePostgres", "PrivateRabbitMQ"]
