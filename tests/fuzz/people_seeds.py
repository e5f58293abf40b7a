"""People, and what is theirs: their entry in the register, consents, care tags, messages."""

from chassis.testing import eventually
from tests.fuzz.world import LONG_AGO, Makers, Seed, World
from tests.stack.clients import BUILDING

TEMPLATE = {"purpose": "ticket_accepted", "channel": "sms", "locale": "en"}


class PeopleSeeds:
    """The people of one role."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.makers: Makers = {
            "register_resident": lambda: Seed(body=self._numbers()),
            "amend_resident": self._to_amend,
            # Never the role itself, which may: it would have nothing more to speak as.
            "erase_resident": lambda: Seed(path={"id": world.new_person()}),
            "give_consent": lambda: Seed(path={"id": world.person()}),
            "withdraw_consent": self._consent,
            "give_care_tag": self._to_tag,
            "end_care_tag": self._care_tag,
            "mark_read": self._message,
            "change_preferences": self._preference,
            "get_template": lambda: Seed(path=TEMPLATE, once=False),
            "edit_template": self._template,
            "preview_template": self._template,
            "revert_template": self._template,
        }

    def resident(self) -> Seed:
        """Somebody whom the role may see."""
        return Seed(path={"id": self._world.person()}, once=False)

    def _numbers(self) -> dict[str, str | None]:
        return {"phone": self._world.phone(), "id_number": None, "area": BUILDING}

    def _to_amend(self) -> Seed:
        world = self._world
        if not world.sees_themselves_only:
            return Seed(path={"id": world.new_person()}, body=self._numbers(), once=False)
        # The resident goes on to sign in with their phone.
        kept = world.community.ready["sign_ins"]["resident"]["phone"]
        own = {"phone": kept} if world.role == "resident" else {}
        return Seed(path={"id": world.own_id}, body=own, once=False)

    def _consent(self) -> Seed:
        person = self._world.person()
        path = f"residents/{person}/consents"
        who = self._world.client if self._world.sees_themselves_only else self._world.clerk
        who.post(path, {"purpose": "notices"})
        given = who.get(path).json().get("items")
        consent = {"consent": given[-1]["id"]} if given else {}
        return Seed(path={"id": person, **consent})

    def _to_tag(self) -> Seed:
        tag = {"tag": "elder_alone", "from": LONG_AGO}
        return Seed(path={"id": self._world.new_person()}, body=tag)

    def _care_tag(self) -> Seed:
        person = self._world.new_person()
        tag = {"tag": "elder_alone", "from": LONG_AGO}
        made = self._world.secretary.make(f"residents/{person}/care-tags", tag)
        return Seed(path={"id": person, "care_tag": made["id"]}, body={"to": None})

    def _message(self) -> Seed:
        """The first of the role's inbox; whoever files tickets is told of them in a while."""
        world = self._world
        if world.role == "resident":
            world.client.file()
            eventually(lambda: world.client.items("inbox"))
        found = world.client.get("inbox").json().get("items")
        return Seed(path={"id": found[0]["id"]} if found else {}, once=False)

    def _preference(self) -> Seed:
        return Seed(body={"purposes": {"ticket_accepted": {"sms": False}}}, once=False)

    def _template(self) -> Seed:
        tag = self._world.tag_of("templates/{purpose}/{channel}/{locale}".format(**TEMPLATE))
        said = {"text": f"Linli: {{{{ number }}}} is accepted ({self._world.short()})."}
        return Seed(path=TEMPLATE, headers=tag, body={"parts": said}, whole=True)
