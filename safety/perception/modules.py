"""One node of a network's module tree, as it lay in a checkpoint."""

from typing import Any

import numpy as np

from safety.errors import ModelError
from safety.types import FloatArray


class Module:
    """Attributes, tensors and children of one network module; it computes nothing.

    The class name is the module's kind: ``Conv``, ``C3k2``, ``Pose``, …
    """

    _attributes: dict[str, Any]

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._attributes = state

    @property
    def kind(self) -> str:
        """Name of the class that the module had when it was saved."""
        return type(self).__name__

    def has(self, child: str) -> bool:
        """Whether there is a child of this name."""
        return isinstance(self._table("_modules").get(child), Module)

    def child(self, name: str) -> "Module":
        """The child of this name."""
        child = self._table("_modules").get(name)
        if not isinstance(child, Module):
            raise self._lacks(f"part '{name}'")
        return child

    def children(self) -> list["Module"]:
        """All children, in order."""
        return [child for child in self._table("_modules").values() if isinstance(child, Module)]

    def array(self, name: str) -> FloatArray:
        """A parameter or buffer, float32."""
        value = self._table("_parameters").get(name)
        if value is None:
            value = self._table("_buffers").get(name)
        if value is None:
            value = self._table().get(name)
        if not isinstance(value, np.ndarray):
            raise self._lacks(f"tensor '{name}'")
        return value.astype(np.float32)

    def has_array(self, name: str) -> bool:
        """Whether there is a parameter of this name."""
        return isinstance(self._table("_parameters").get(name), np.ndarray)

    def attribute(self, name: str) -> Any:
        """A plain attribute: number, tuple, dictionary, …"""
        try:
            return self._table()[name]
        except KeyError:
            raise self._lacks(f"attribute '{name}'") from None

    def _table(self, name: str | None = None) -> dict[str, Any]:
        attributes = getattr(self, "_attributes", {})
        table = attributes if name is None else attributes.get(name, {})
        return table if isinstance(table, dict) else {}

    def _lacks(self, what: str) -> ModelError:
        return ModelError(
            "model.incomplete",
            "the network's {kind} module has no {what}; the file was not written by a version of"
            " Ultralytics that Anjeon knows: export it to ONNX instead",
            kind=self.kind,
            what=what,
        )


def module_class(name: str) -> type[Module]:
    """An inert class of this name for the unpickler to fill."""
    return type(name, (Module,), {})
