"""What webhooks refuse, by name."""

from chassis.errors import Conflict, NotFound


class UnknownWebhook(NotFound):
    """There is no such webhook."""

    code = "unknown_webhook"


class WebhookNotActive(Conflict):
    """The webhook is not active."""

    code = "webhook_not_active"


class TooManyWebhooks(Conflict):
    """There are as many webhooks as there may be."""

    code = "too_many_webhooks"


class TooManySecrets(Conflict):
    """Three secrets are live; end one, or wait until one ends."""

    code = "too_many_secrets"


class NotForRobots(Conflict):
    """A robot is not signed with a secret of ours."""

    code = "not_for_robots"


class LastSecret(Conflict):
    """The newest secret cannot be ended; make another one first."""

    code = "last_secret"


class KeyLost(Conflict):
    """What it is spoken to with does not open any more: give its url and its robot_secret anew."""

    code = "key_lost"
