"""The API keeps to its own description, whatever is sent: no 500, every answer as described.

``ANJEON_API_EXAMPLES`` says how many requests each operation gets; ``make api`` sends more.
"""

import copy
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError
from schemathesis import APIOperation, Case, GenerationMode, Response
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    status_code_conformance,
)

from tests.support.api_record import something_of_everything
from tests.support.factory import Factory
from tests.support.web import PATIENCE_S, Site

AnyOperation: TypeAlias = APIOperation[Any, Any, Any, Any]
AnyCase: TypeAlias = Case[Any]

EXAMPLES = int(os.environ.get("ANJEON_API_EXAMPLES", "4"))
CHECKS = [
    status_code_conformance,
    content_type_conformance,
]
LONG = {"/api/v1/replay"}
"""Starts a program of its own; has tests of its own."""
METHODS = [("get",), ("post",), ("put", "delete")]


@dataclass(frozen=True, kw_only=True)
class Asking:
    """How a program with all rights asks, and what it may be told.

    Attributes:
        described: The OpenAPI document.
        known: Ids of what there is, by the path parameter's name.
    """

    address: str
    session: requests.Session
    described: dict[str, Any]
    known: Mapping[str, str]

    def operations(self, methods: tuple[str, ...]) -> Iterator[AnyOperation]:
        schema = schemathesis.openapi.from_dict(copy.deepcopy(self.described))
        for found in schema.get_all_operations():
            assert isinstance(found, Ok)
            operation = found.ok()
            if operation.method in methods and operation.path not in LONG:
                yield operation

    def ask(self, case: AnyCase, *, real: bool, seen: bool) -> None:
        """Send it; ``real``: for things that there are, ``seen``: with the right to edit them.

        Raises:
            AssertionError, FailureGroup, ValidationError: The answer is not as described.
        """
        if real:
            given = dict(case.path_parameters)
            case.path_parameters = {name: self.known.get(name, given[name]) for name in given}
        headers = {"if-match": "*"} if seen else {}
        answer = case.call(
            base_url=self.address, session=self.session, headers=headers, timeout=PATIENCE_S
        )
        # 503 is an answer: the picture or the engine is not there just now.
        assert answer.status_code in {*range(200, 500), 503}, f"{case!r}: {answer.text}"
        case.validate_response(answer, checks=CHECKS)
        self._check_body(case.operation.label, answer)

    def _check_body(self, label: str, answer: Response) -> None:
        """The tool's own check of bodies does not understand tuples."""
        method, path = label.split()
        responses = self.described["paths"][path][method.lower()]["responses"]
        content = responses.get(str(answer.status_code), responses["default"]).get("content", {})
        media_type = answer.headers.get("content-type", [""])[0].split(";")[0]
        if answer.content and media_type.endswith("json"):
            assert media_type in content, f"{answer.status_code} {media_type}: {answer.text[:300]}"
            schema = {
                **content[media_type]["schema"],
                "components": self.described["components"],
            }
            Draft202012Validator(schema).validate(answer.json())


@pytest.mark.parametrize("methods", METHODS, ids="-".join)
def test_every_answer_is_as_described(
    site: Site, factory: Factory, methods: tuple[str, ...]
) -> None:
    known = something_of_everything(site, factory)
    token = site.token("read", "acknowledge", "configure")
    with requests.Session() as session:
        session.headers["authorization"] = f"Bearer {token}"
        described = session.get(f"{site.address}/api/v1/openapi.json").json()
        asking = Asking(address=site.address, session=session, described=described, known=known)
        found = {
            each.label: why for each in asking.operations(methods) if (why := _ask(asking, each))
        }
    assert not found, "\n\n".join(f"{label}: {why}" for label, why in found.items())


def _ask(asking: Asking, operation: AnyOperation) -> str:
    """What is wrong with the answers of one operation; empty: nothing."""
    cases = st.one_of([operation.as_strategy(mode) for mode in _modes(operation)])

    @settings(
        max_examples=EXAMPLES,
        database=None,
        report_multiple_bugs=False,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases, real=st.booleans(), seen=st.booleans())
    def ask(case: AnyCase, real: bool, seen: bool) -> None:
        asking.ask(case, real=real, seen=seen)

    try:
        ask()
    except ExceptionGroup as failures:  # also of what does not fail twice: the first changed it
        return "\n".join(str(each) for each in failures.exceptions)
    except (ValidationError, AssertionError) as error:
        return str(error)
    return ""


def _modes(operation: AnyOperation) -> list[GenerationMode]:
    """Values as they should be, and as they should not where there are any."""
    takes = bool(operation.body) or any(operation.iter_parameters())
    return [GenerationMode.POSITIVE, *([GenerationMode.NEGATIVE] if takes else [])]
