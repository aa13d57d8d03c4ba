"""Queries that are put into SQL once, not every time: to say one takes longer than to answer it.

For what stands between a click and the first request sent, and around every page.
"""

import threading
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Expression, QuerySet
from django.db.models.sql.compiler import SQLCompiler

Row = TypeVar("Row", bound=tuple[Any, ...])


class Given(Expression):
    """A value that is not known before the query is asked.

    Args:
        name: the name that `Prepared.rows` gets it by.
        field: what kind of value it is.
    """

    def __init__(self, name: str, field: "models.Field[Any, Any]") -> None:
        super().__init__(output_field=field)
        self.name = name

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[Any, ...]]:
        return "%s", (self,)

    def prepared(self, value: object, connection: BaseDatabaseWrapper) -> Any:
        """Return a value as this database keeps it."""
        return self.output_field.get_db_prep_value(value, connection)


class Prepared(Generic[Row]):
    """A query of rows (`values_list`) that is said once per thread, which is per connection.

    Args:
        say: returns the query; it may compare with a `Given`, whose value comes with each asking.
        per: what else the query depends on, a setting for example; it is said once for each.
    """

    def __init__(
        self, say: Callable[[], QuerySet[Any, Row]], *, per: Callable[[], Hashable] = lambda: None
    ) -> None:
        self._say = say
        self._per = per
        self._here = threading.local()

    def rows(self, **given: object) -> list[Row]:
        """Ask the database; return the rows as the ORM would give them."""
        key = repr(self._per())
        said: _Said | None = getattr(self._here, key, None)
        if said is None:
            said = _Said(self._say())
            setattr(self._here, key, said)
        return said.rows(given)


class _Said:
    """What the compiler makes of a query, kept."""

    def __init__(self, query: QuerySet[Any, Any]) -> None:
        self._alias = query.db
        self._compiler = query.query.get_compiler(using=self._alias)
        self._sql, self._parameters = self._compiler.as_sql()
        columns = [column for column, *_ in self._compiler.select or ()]
        self._converters = self._compiler.get_converters(columns)

    def rows(self, given: dict[str, object]) -> list[Any]:
        connection = connections[self._alias]
        parameters = [
            one.prepared(given[one.name], connection) if isinstance(one, Given) else one
            for one in self._parameters
        ]
        with connection.cursor() as cursor:
            cursor.execute(self._sql, parameters)
            found: list[Any] = cursor.fetchall()
        if not self._converters:
            return found
        return [tuple(row) for row in self._compiler.apply_converters(found, self._converters)]
