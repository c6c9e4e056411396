"""What the housekeeping queue runs for the house itself."""

from django.conf import settings
from django.db import connection

from journal import rounds

CACHE_S = 3600


def delete_expired_cache() -> None:
    """Hourly: rows of the database cache that nobody reads any more."""
    rounds.run("portal.delete_expired_cache", CACHE_S, expired_cache)


def expired_cache() -> dict[str, int]:
    """Deletes what expired in the database cache; says how many. Repeatable."""
    table = connection.ops.quote_name(str(settings.CACHES["default"]["LOCATION"]))
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE expires < now()")  # noqa: S608 - the name is our own setting
        return {"deleted": cursor.rowcount}
