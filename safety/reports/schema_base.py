"""What all parts of the monthly report's schema are made of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Month = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
Hours = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class Part(BaseModel):
    """What all parts share: nothing unknown, nothing changed afterwards."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True)


class Figure(Part):
    """A rate with its exact interval; ``value`` is None where there is nothing to divide by."""

    cases: Count
    exposure: Hours
    per: Number
    value: Number | None
    lower: Number | None
    upper: Number | None
