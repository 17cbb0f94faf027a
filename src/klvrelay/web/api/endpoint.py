"""One path of the API: what it takes and what it answers. The OpenAPI document and the server are made of these."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from klvrelay.web.observed import Observed

PREFIX = "/api/v1"

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a path or of a query.

    schema   JSON Schema of its value: string, integer or boolean
    place    where it is
    """

    name: str
    text: str
    schema: Schema
    place: Literal["path", "query"] = "query"


@dataclass(frozen=True, slots=True)
class Call:
    """A request: the values of its parameters, and its body."""

    observed: Observed
    values: Mapping[str, Any]
    body: Mapping[str, Any] = field(default_factory=dict)


Answer = Callable[[Call], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class ApiEndpoint:
    """A path of the API.

    path     below PREFIX, such as `/streams/{stream}`
    summary  what it is for, in one line
    answer   makes the answer, a JSON document; raises Problem
    schema   of the answer
    body     the schema of the body of a request; None: it has none
    errors   the status codes of its errors, besides those that all have
    """

    path: str
    summary: str
    answer: Answer
    schema: Schema
    parameters: tuple[Parameter, ...] = ()
    method: Literal["GET", "PATCH"] = "GET"
    body: Schema | None = None
    errors: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        """Its identifier in the OpenAPI document."""
        words = [word.strip("{}") for word in self.path.split("/") if word]
        return "_".join([self.method.lower(), *words]) if words else f"{self.method.lower()}_root"
