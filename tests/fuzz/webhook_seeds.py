"""Webhooks to send to, with secrets and deliveries; nobody listens there."""

from tests.fuzz.world import Makers, Seed, World

URL = "https://hooks.invalid/linli"


class WebhookSeeds:
    """What one role may have sent somewhere; for who may have nothing sent, another's."""

    def __init__(self, world: World) -> None:
        self._world = world
        one = ("get_webhook", "change_webhook", "list_webhook_deliveries", "list_webhook_secrets")
        used_up = ("remove_webhook", "test_webhook", "make_webhook_secret")
        self.makers: Makers = {
            "make_webhook": lambda: Seed(body={"url": URL}),
            **dict.fromkeys((*one, *used_up), lambda: Seed(path={"id": self._webhook()})),
            "end_webhook_secret": self._older_secret,
            "get_webhook_delivery": self._delivery,
            "redeliver": self._delivery,
            "replay_webhook": lambda: Seed(path={"id": self._webhook()}, body=_YEAR, whole=True),
        }

    def _webhook(self) -> str:
        """A new one, or, when there are as many as there may be, one that is there."""
        department = "water" if self._world.role == "department_clerk" else None
        answer = self._world.administrator.post("webhooks", {"url": URL, "department": department})
        if answer.ok:
            return str(answer.json()["id"])
        there = self._world.administrator.items("webhooks")
        return str(next(each["id"] for each in there if each["department"] == department))

    def _older_secret(self) -> Seed:
        webhook = self._webhook()
        path = f"webhooks/{webhook}/secrets"
        self._world.administrator.make(path, None)
        older = self._world.administrator.read(path)["items"][0]
        return Seed(path={"id": webhook, "secret": older["id"]})

    def _delivery(self) -> Seed:
        webhook = self._webhook()
        delivery = self._world.administrator.make(f"webhooks/{webhook}/test", None)
        return Seed(path={"id": webhook, "delivery": delivery["id"]})


_YEAR = {"from": "2026-01-01T00:00:00Z", "to": "2027-01-01T00:00:00Z"}
