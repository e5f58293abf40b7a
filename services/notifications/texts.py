"""Texts for people: one folder per purpose, one per language in it, rendered in a sandbox.

`templates/<purpose>/<language>/`: `title.txt` and `body.txt` for the inbox, `sms.txt`, and for mail
`subject.txt`, `body.txt` and `body.html`, which `layouts/` frames. A template sees the variables of
its purpose and nothing else; one that is missing is an error, not an empty place.
"""

from collections.abc import Mapping
from copy import copy
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, Template, TemplateError, select_autoescape
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

LOCALES = ("zh-CN", "en")
DEFAULT_LOCALE = "zh-CN"
FOLDER = Path(__file__).parent / "templates"
LAYOUTS = Path(__file__).parent / "layouts"

# What a template may use. `department` is a name in the reader's language, or None.
TICKET_VARIABLES = frozenset({"number", "department"})
VARIABLES: dict[str, frozenset[str]] = {
    "sign_in_code": frozenset({"code"}),
    # How much news there is, a line for each of the newest, and how much more.
    "digest": frozenset({"count", "items", "more"}),
    # The number since, masked, or None where there is none.
    "phone_changed": frozenset({"phone"}),
    # Of its address no more than where it leads.
    "webhook_disabled": frozenset({"host"}),
}
# What may be absent, and the channels by which it can be said at all: what a department is called
# is known here, and a number only while a message is sent.
ABSENT: dict[str, tuple[str, ...]] = {"department": ("inbox",), "phone": ("sms",)}


# What a template is tried on; nobody's. Numbers and counts have the length they have in life.
SAMPLES: dict[str, Any] = {
    "number": "20260801-000042",
    "department": "供水公司",
    "code": "482913",
    "phone": "138****1234",
    "count": 12,
    "items": ["已收到您的诉求 20260801-000042", "您的诉求已受理 20260801-000043"],
    "more": 10,
    "host": "hooks.example.org",
}
# The parts of what goes by each channel, and the files of the shipped ones.
PARTS: dict[str, dict[str, str]] = {
    "inbox": {"title": "title.txt", "body": "body.txt"},
    "sms": {"text": "sms.txt"},
    "email": {"subject": "subject.txt", "text": "body.txt", "html": "body.html"},
}

Variables = Mapping[str, Any]
# What somebody edited: the parts, by purpose, channel and language.
Custom = Mapping[tuple[str, str, str], Mapping[str, str]]


def variables_of(purpose: str) -> frozenset[str]:
    """The variables that the templates of a purpose may use."""
    return VARIABLES.get(purpose, TICKET_VARIABLES)


def choose_locale(wanted: str | None) -> str:
    """The language we have that is nearest to the one wanted: `en-GB` gives `en`."""
    language = (wanted or "").split("-")[0].lower()
    return next((have for have in LOCALES if have.split("-")[0] == language), DEFAULT_LOCALE)


class CannotRender(Exception):
    """The template is missing, broken, or uses a variable that was not given."""


class Texts:
    """Renders templates, those that somebody edited before those that were shipped; compiled once
    and kept.
    """

    def __init__(self, folder: Path = FOLDER, custom: Custom | None = None) -> None:
        self._environment = ImmutableSandboxedEnvironment(
            loader=FileSystemLoader([folder, LAYOUTS]),
            undefined=StrictUndefined,
            # Plain text is left as it is: whoever shows it in a page escapes it there.
            autoescape=select_autoescape(["html"], default_for_string=False),
            auto_reload=False,
        )
        self._custom = custom or {}

    def with_custom(self, custom: Custom) -> "Texts":
        """The same, with what somebody edited."""
        if not custom:
            return self
        texts = copy(self)
        texts._custom = custom
        return texts

    def part(
        self, purpose: str, channel: str, part: str, locale: str | None, variables: Variables
    ) -> str:
        """One part of what goes by a channel, in the nearest language; raises CannotRender."""
        try:
            template = self._template(purpose, channel, part, choose_locale(locale))
            return template.render(variables).strip()
        except TemplateError as error:
            raise CannotRender(f"{purpose}/{part}: {type(error).__name__}") from error

    def shipped(self, purpose: str, channel: str, locale: str) -> dict[str, str]:
        """The sources of what was shipped; raises CannotRender when there is none."""
        loader = self._environment.loader
        try:
            return {
                part: loader.get_source(self._environment, f"{purpose}/{locale}/{file}")[0].strip()
                for part, file in PARTS[channel].items()
                if loader
            }
        except TemplateError as error:
            raise CannotRender(f"{purpose}/{channel}: {type(error).__name__}") from error

    def _template(self, purpose: str, channel: str, part: str, locale: str) -> Template:
        edited = self._custom.get((purpose, channel, locale))
        if edited is None or part not in edited:
            return self._environment.get_template(f"{purpose}/{locale}/{PARTS[channel][part]}")
        source = edited[part]
        escaped = f"{{% autoescape true %}}{source}{{% endautoescape %}}"
        return self._environment.from_string(escaped if part == "html" else source)

    def explain(self, what: str, locale: str | None) -> str:
        """A sentence of ours that is no message, such as why something cannot be turned off."""
        return self._framed(f"{what}.{choose_locale(locale)}.txt").strip()

    def robot(self, locale: str | None, variables: Variables) -> str:
        """What a group robot says, in the nearest language; `webhooks.sayings` has its facts."""
        return self._framed(f"robot.{choose_locale(locale)}.txt", **variables).strip()

    def sms(self, purpose: str, locale: str | None, variables: Variables) -> dict[str, str]:
        """What goes by SMS: `{text}`; raises CannotRender."""
        return {"text": self.part(purpose, "sms", "text", locale, variables)}

    def mail(self, purpose: str, locale: str | None, variables: Variables) -> dict[str, str]:
        """What goes by mail: `{subject, text, html, language}`; raises CannotRender."""
        subject, body, html = (
            self.part(purpose, "email", part, locale, variables) for part in PARTS["email"]
        )
        language = choose_locale(locale)
        return {
            # A header is one line.
            "subject": " ".join(subject.split()),
            "text": self._framed(f"mail.{language}.txt", body=body),
            # Its own template has escaped what is not ours.
            "html": self._framed(
                f"mail.{language}.html",
                subject=subject,
                body=Markup(html),  # noqa: S704
            ),
            "language": language,
        }

    def _framed(self, layout: str, **parts: Any) -> str:
        return self._environment.get_template(layout).render(parts)
