"""What a violation says it measured, put together only when it is told."""

from collections.abc import Callable, Iterator, Mapping


class Later(Mapping[str, object]):
    """Details of this moment that are made when somebody looks at them.

    A violation tells them once a second, but whoever breaks a rule does so in every frame.
    """

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], Mapping[str, object]]) -> None:
        self._make = make
        self._made: Mapping[str, object] | None = None

    def _all(self) -> Mapping[str, object]:
        if self._made is None:
            self._made = self._make()
        return self._made

    def __getitem__(self, name: str) -> object:
        return self._all()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())
