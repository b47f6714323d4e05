"""The closed lists that incidents, corrective actions and accidents are described with.

Every value has its texts under ``incident.<list>.<value>`` or ``accident.<list>.<value>``.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Kind(StrEnum):
    """What sort of incident it is, from what could have happened to what did."""

    NEAR_MISS = "near_miss"
    UNSAFE_ACT = "unsafe_act"
    UNSAFE_CONDITION = "unsafe_condition"
    FIRST_AID = "first_aid"
    MEDICAL_TREATMENT = "medical_treatment"
    LOST_TIME = "lost_time"
    FATALITY = "fatality"
    PROPERTY_DAMAGE = "property_damage"


INJURIES: Final = frozenset({Kind.FIRST_AID, Kind.MEDICAL_TREATMENT, Kind.LOST_TIME, Kind.FATALITY})
"""Kinds in which somebody was hurt: they belong on the list of accidents as well."""


class State(StrEnum):
    """How far the work on an incident has come."""

    DRAFT = "draft"
    INVESTIGATING = "investigating"
    ACTIONS = "actions"
    VERIFIED = "verified"
    CLOSED = "closed"


MOVES: Final[Mapping[State, tuple[State, ...]]] = MappingProxyType(
    {
        State.DRAFT: (State.INVESTIGATING,),
        State.INVESTIGATING: (State.ACTIONS, State.CLOSED),
        State.ACTIONS: (State.VERIFIED, State.INVESTIGATING),
        State.VERIFIED: (State.CLOSED, State.ACTIONS),
        State.CLOSED: (State.INVESTIGATING,),
    }
)
"""Where an incident may go from each state; from ``closed`` it is reopened."""


class ActionState(StrEnum):
    """How far a corrective action has come."""

    OPEN = "open"
    DONE = "done"
    VERIFIED = "verified"
    DROPPED = "dropped"


class Control(StrEnum):
    """The hierarchy of control, the surest measure first (ISO 45001, 8.1.2)."""

    ELIMINATION = "elimination"
    SUBSTITUTION = "substitution"
    ENGINEERING = "engineering"
    ADMINISTRATIVE = "administrative"
    PPE = "ppe"


class Role(StrEnum):
    """Who took part in an incident; names are not asked for."""

    WORKER = "worker"
    CONTRACTOR = "contractor"
    DRIVER = "driver"
    MAINTENANCE = "maintenance"
    SUPERVISOR = "supervisor"
    VISITOR = "visitor"
    OTHER = "other"


class FalseAlarm(StrEnum):
    """Why an alert was false."""

    NO_PERSON = "no_person"
    OUTSIDE = "outside"
    EQUIPMENT_WORN = "equipment_worn"
    POSTURE = "posture"
    VEHICLE = "vehicle"
    PERMITTED = "permitted"
    NOT_ARMED = "not_armed"
    PICTURE = "picture"
    OTHER = "other"


class AccidentKind(StrEnum):
    """How somebody was hurt (발생형태)."""

    FALL = "fall"
    TRIP = "trip"
    COLLISION = "collision"
    STRUCK = "struck"
    CAUGHT = "caught"
    CRUSHED = "crushed"
    CUT = "cut"
    FIRE = "fire"
    ELECTRIC = "electric"
    TEMPERATURE = "temperature"
    CHEMICAL = "chemical"
    STRAIN = "strain"
    TRAFFIC = "traffic"
    DISEASE = "disease"
    OTHER = "other"


class Outcome(StrEnum):
    """The worst that an accident did to anybody, mildest first."""

    FIRST_AID = "first_aid"
    MEDICAL_TREATMENT = "medical_treatment"
    LOST_TIME = "lost_time"
    FATALITY = "fatality"


class WorkerGroup(StrEnum):
    """Whose workers were hurt."""

    OWN = "own"
    CONTRACTOR = "contractor"


class Representative(StrEnum):
    """What the workers' representative said of Form 30."""

    CONFIRMED = "confirmed"
    DISSENT = "dissent"
