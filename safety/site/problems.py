"""What is wrong with a site document: all of it at once, with file, line and place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from safety.errors import ConfigError
from safety.site.references import Location


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        source: The file's name, or what else the text came from.
        line: Counted from 1.
        where: The place in the document; empty for the whole.
        key: Translation key of the message; ``params`` are its parameters.
        message: English text: what is wrong and what to do.
    """

    source: str
    line: int
    where: Location
    key: str
    message: str
    params: Mapping[str, object] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """The place as people write it, e.g. ``cameras[0].source.url``."""
        text = ""
        for part in self.where:
            text += f"[{part}]" if isinstance(part, int) else f".{part}"
        return text.removeprefix(".")

    def __str__(self) -> str:
        place = f" {self.place}:" if self.where else ""
        return f"{self.source}:{self.line}:{place} {self.message}"


class SiteError(ConfigError):
    """A site document cannot be used; ``problems`` says why, in the document's order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line))
        super().__init__(
            "site.invalid", "{problems}", problems="\n".join(str(each) for each in self.problems)
        )
