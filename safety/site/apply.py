"""From the site document to the database and back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError
from sqlmodel import Session

from safety.errors import ConfigError
from safety.site.spec import SiteSpec
from safety.store import configuration
from safety.store.configuration import Changes, Configuration
from safety.store.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedSite:
    """The site in force, with what the database adds to it.

    Attributes:
        revision: Goes up by one at every change; 0 if nothing was ever configured.
        rule_revisions: By rule id.
        disabled_channels: Why nothing is sent there, by channel id.
    """

    spec: SiteSpec
    revision: int
    rule_revisions: Mapping[str, int]
    disabled_channels: Mapping[str, str]


def apply_site(database: Database, spec: SiteSpec, *, by: str, now: datetime) -> Changes:
    """Make this the site, in one transaction; what is the same already is left alone.

    Args:
        database: With its tables up to date.
        spec: The whole site: what it does not mention is removed.
        by: Who, for the audit log.
        now: UTC.

    Returns:
        What was added, changed and removed; falsy if nothing was.

    Raises:
        StoreUnavailable: The database cannot be written now; nothing changed.
    """
    with database.transaction() as session:
        return store_site(session, spec, by=by, at=now)


def export_site(database: Database) -> SiteSpec:
    """The site in force, an empty one if there is none; applying it changes nothing.

    Raises:
        ConfigError: What is stored is not valid for this version of Anjeon.
        StoreUnavailable: The database cannot be read now.
    """
    with database.reading() as session:
        return load_site(session).spec


def load_site(session: Session) -> LoadedSite:
    """The site in force, an empty one if there is none.

    Raises:
        ConfigError: What is stored is not valid for this version of Anjeon.
    """
    stored = configuration.load(session)
    try:
        spec = SiteSpec.model_validate(
            {
                "name": stored.name,
                "timezone": stored.timezone,
                "language": stored.language,
                "plant": stored.plant,
                "policy": stored.policy,
                **{kind: getattr(stored, kind) for kind in configuration.KINDS},
            }
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise ConfigError(
            "site.stored_invalid",
            "the stored configuration is not valid for this version of Anjeon ({where}: {why}); "
            "correct it with 'anjeon site apply'",
            where=".".join(str(part) for part in first["loc"]),
            why=first["msg"],
        ) from error
    return LoadedSite(
        spec=spec,
        revision=stored.revision,
        rule_revisions=stored.rule_revisions,
        disabled_channels=stored.disabled_channels,
    )


def store_site(
    session: Session,
    spec: SiteSpec,
    *,
    by: str,
    at: datetime,
    expected_revision: int | None = None,
) -> Changes:
    """As ``apply_site``, within a transaction of the caller's.

    Raises:
        Conflict: The configuration is no longer at ``expected_revision``.
    """
    wanted = Configuration(
        name=spec.name,
        timezone=spec.timezone,
        language=spec.language,
        plant=spec.plant.model_dump(mode="json"),
        # The default is kept as nothing: a site that says nothing follows later defaults.
        policy=spec.policy.model_dump(mode="json", exclude_defaults=True),
        cameras=tuple(each.model_dump(mode="json") for each in spec.cameras),
        zones=tuple(each.model_dump(mode="json") for each in spec.zones),
        rules=tuple(each.model_dump(mode="json") for each in spec.rules),
        channels=tuple(each.model_dump(mode="json") for each in spec.channels),
    )
    return configuration.replace(session, wanted, by=by, at=at, expected_revision=expected_revision)
