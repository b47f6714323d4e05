"""The programme's result as files: PDF, spreadsheet and JSON, the same numbers in each."""

from dataclasses import asdict
from datetime import datetime
from typing import Literal

from safety.errors import ConfigError
from safety.programme.assess import Programme
from safety.programme.collect import Collected
from safety.programme.words import presented_programme, programme_plots
from safety.reports.pdf import pdf
from safety.reports.signing import canonical
from safety.reports.xlsx import xlsx

Form = Literal["pdf", "xlsx", "json"]


def require_statsmodels() -> None:
    """Look that the package is there that pools.

    Raises:
        ConfigError: It is not installed.
    """
    try:
        import statsmodels  # noqa: F401
    except ImportError:
        raise ConfigError(
            "programme.not_installed",
            "pooling needs the package statsmodels; install it with"
            " 'pip install anjeon[programme]'",
        ) from None


def programme_file(
    programme: Programme, collected: Collected, form: Form, *, language: str, made_at: datetime
) -> tuple[str, bytes]:
    """One of the files: its name and its content."""
    stem = f"programme-{programme.month or 'empty'}"
    if form == "json":
        return f"{stem}.json", canonical(_document(programme, collected))
    paper = presented_programme(programme, collected.problems, language=language, made_at=made_at)
    content = pdf(paper, programme_plots(programme, language)) if form == "pdf" else xlsx(paper)
    return f"{stem}-{language}.{form}", content


def _document(programme: Programme, collected: Collected) -> dict[str, object]:
    problems = [{"file": p.file, "key": p.error.key} for p in collected.problems]
    return {
        "schema": "anjeon-programme",
        "schema_version": "1.1",
        **asdict(programme),
        "problems": problems,
        "duplicates": collected.duplicates,
        "superseded": collected.superseded,
    }
