"""Texts for people: one folder per purpose, one per language in it, rendered in a sandbox.

`templates/<purpose>/<language>/title.txt`, `body.txt` and `sms.txt`. A template sees the variables
of its purpose and nothing else; one that is missing is an error, not an empty place.
"""

from collections.abc import Mapping
from pathlib import Path

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

LOCALES = ("zh-CN", "en")
DEFAULT_LOCALE = "zh-CN"
FOLDER = Path(__file__).parent / "templates"

# What a template may use. `department` is a name in the reader's language, or None.
TICKET_VARIABLES = frozenset({"number", "department"})
VARIABLES: dict[str, frozenset[str]] = {"sign_in_code": frozenset({"code"})}


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
            loader=FileSystemLoader(folder),
            undefined=StrictUndefined,
            # Plain text: whoever shows it in a page escapes it there.
            autoescape=False,
            auto_reload=False,
        )

    def render(
        self, purpose: str, locale: str | None, part: str, variables: Mapping[str, str | None]
    ) -> str:
        """`part` (title, body or sms) of a purpose in the nearest language; raises CannotRender."""
        try:
            path = f"{purpose}/{choose_locale(locale)}/{part}.txt"
            return self._environment.get_template(path).render(variables).strip()
        except TemplateError as error:
            raise CannotRender(f"{purpose}/{part}: {type(error).__name__}") from error
