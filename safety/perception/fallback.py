"""A detector that goes on on the processor when the device it ran on fails."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Generic

from safety.errors import ModelError
from safety.perception.detector import Found, NetworkDetector, Take
from safety.types import Picture


class FallbackDetector(Generic[Found]):
    """Runs one detector until its engine fails, then another one for good.

    No picture is lost: those under way when the first one fails are given to the second.

    Args:
        first: Runs on the device that was asked for.
        second: Opens the one on the processor.
        fell_back: Told why, once.
    """

    def __init__(
        self,
        first: NetworkDetector[Found],
        second: Callable[[], NetworkDetector[Found]],
        fell_back: Callable[[ModelError], None],
    ) -> None:
        self._current = first
        self._second: Callable[[], NetworkDetector[Found]] | None = second
        self._fell_back = fell_back
        self._nonfinite_before = 0

    @property
    def names(self) -> tuple[str, ...]:
        return self._current.names

    @property
    def network_px(self) -> tuple[int, int]:
        return self._current.network_px

    @property
    def backend(self) -> str:
        return self._current.backend

    @property
    def nonfinite_outputs(self) -> int:
        return self._nonfinite_before + self._current.nonfinite_outputs

    def detect(self, pictures: Sequence[Picture]) -> list[Found]:
        try:
            return self._current.detect(pictures)
        except ModelError as error:
            self._move(error)
            return self._current.detect(pictures)

    def stream(self, take: Take) -> Iterator[Found]:
        under_way: deque[Picture] = deque()

        def remember() -> Picture | None:
            picture = take()
            if picture is not None:
                under_way.append(picture)
            return picture

        try:
            for found in self._current.stream(remember):
                under_way.popleft()
                yield found
        except ModelError as error:
            self._move(error)
            yield from self._current.detect(list(under_way))
            yield from self._current.stream(take)

    def close(self) -> None:
        self._current.close()

    def _move(self, error: ModelError) -> None:
        """Use the second detector from now on.

        Raises:
            ModelError: It is in use already, or cannot be opened.
        """
        second, self._second = self._second, None
        if second is None:
            raise error
        self._nonfinite_before = self._current.nonfinite_outputs
        self._current.close()
        self._current = second()
        self._fell_back(error)
