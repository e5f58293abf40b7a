"""Texts for people: one folder per purpose, one per language in it, rendered in a sandbox.

`templates/<purpose>/<language>/`: `title.txt` and `body.txt` for the inbox, `sms.txt`, and for mail
`subject.txt`, `body.txt` and `body.html`, which `layouts/` frames. A template sees the variables of
its purpose and nothing else; one that is missing is an error, not an empty place.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError, select_autoescape
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
}


Variables = Mapping[str, Any]


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
    """Renders templates; compiled once and kept."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._environment = ImmutableSandboxedEnvironment(
            loader=FileSystemLoader([folder, LAYOUTS]),
            undefined=StrictUndefined,
            # Plain text is left as it is: whoever shows it in a page escapes it there.
            autoescape=select_autoescape(["html"]),
            auto_reload=False,
        )

    def render(self, purpose: str, locale: str | None, part: str, variables: Variables) -> str:
        """`part` (title, body, sms, subject, html) of a purpose in the nearest language; raises
        CannotRender.
        """
        file = "body.html" if part == "html" else f"{part}.txt"
        try:
            path = f"{purpose}/{choose_locale(locale)}/{file}"
            return self._environment.get_template(path).render(variables).strip()
        except TemplateError as error:
            raise CannotRender(f"{purpose}/{part}: {type(error).__name__}") from error

    def explain(self, what: str, locale: str | None) -> str:
        """A sentence of ours that is no message, such as why something cannot be turned off."""
        return self._framed(f"{what}.{choose_locale(locale)}.txt").strip()

    def sms(self, purpose: str, locale: str | None, variables: Variables) -> dict[str, str]:
        """What goes by SMS: `{text}`; raises CannotRender."""
        return {"text": self.render(purpose, locale, "sms", variables)}

    def mail(self, purpose: str, locale: str | None, variables: Variables) -> dict[str, str]:
        """What goes by mail: `{subject, text, html, language}`; raises CannotRender."""
        subject, body, html = (
            self.render(purpose, locale, part, variables) for part in ("subject", "body", "html")
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

    def _framed(self, layout: str, **parts: str) -> str:
        return self._environment.get_template(layout).render(parts)
