"""Lists of the API, page by page: ``limit`` says how many, ``cursor`` where the last page ended.

A cursor is the id of the last thing on the page before, so a page stays where it was whatever
comes or goes in front of it.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, Generic, TypeVar

from fastapi import Depends, Query

from dashboard.schemas import Answer
from safety.store.refusals import NotFound

USUAL: Final = 50
MOST: Final = 200

T = TypeVar("T")
R = TypeVar("R")


class Page(Answer, Generic[T]):
    """One page of a list."""

    items: Sequence[T]
    next_cursor: str | None
    """Give it as ``cursor`` to get the next page; null on the last one."""

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """``AlertInfoPage``; where there is a choice of types, their common title."""
        titles = [str(each.title) for each in getattr(params[0], "__metadata__", ())]
        return f"{titles[-1] if titles else params[0].__name__}Page"


def _by_id(row: Any) -> str:
    return str(row.id)


class Paging:
    """Which page is wanted; a route that lists something depends on it."""

    def __init__(
        self,
        cursor: Annotated[
            str | None,
            Query(description="``next_cursor`` of the page before; the first page without it."),
        ] = None,
        limit: Annotated[int, Query(ge=1, le=MOST)] = USUAL,
    ) -> None:
        self.cursor = cursor
        self.limit = limit

    @property
    def fetch(self) -> int:
        """How many rows to read: one more than is shown tells whether there is another page."""
        return self.limit + 1

    def shown(self, rows: Sequence[R]) -> Sequence[R]:
        """Those of the rows read that this page shows."""
        return rows[: self.limit]

    def next_cursor(self, rows: Sequence[R], key: Callable[[R], str] = _by_id) -> str | None:
        """Where the next page begins; None if these rows are the last."""
        return key(rows[self.limit - 1]) if len(rows) > self.limit else None

    def page(
        self, rows: Sequence[R], show: Callable[[R], T], key: Callable[[R], str] = _by_id
    ) -> Page[T]:
        """The page of ``fetch`` rows that were read after the cursor, in the list's order."""
        items = [show(row) for row in self.shown(rows)]
        return Page(items=items, next_cursor=self.next_cursor(rows, key))

    def cut(
        self, rows: Sequence[R], show: Callable[[R], T], key: Callable[[R], str] = _by_id
    ) -> Page[T]:
        """The page of a list that is short enough to be read as a whole.

        Raises:
            NotFound: The cursor names nothing on it.
        """
        if self.cursor is None:
            return self.page(rows, show, key)
        for number, row in enumerate(rows, start=1):
            if key(row) == self.cursor:
                return self.page(rows[number : number + self.fetch], show, key)
        raise NotFound("page", self.cursor)


Paged = Annotated[Paging, Depends()]
