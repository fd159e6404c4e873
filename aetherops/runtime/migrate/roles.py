"""Owner and runtime: the role that changes the schema, and the one that serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from aetherops.errors import NotFoundError
from aetherops.migrations.rights import RUNTIME_FUNCTIONS, RUNTIME_RIGHTS

if TYPE_CHECKING:
    from aetherops.connections.postgres import Postgres, PostgresConnection

__all__ = ["grant_to", "owns_schema"]

_ALL = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")

_OWNS = """
SELECT has_schema_privilege(current_schema(), 'CREATE') AND coalesce(
    (SELECT pg_has_role(relowner, 'USAGE') FROM pg_class
     WHERE oid = to_regclass('schema_migration')), true)
"""

# Whoever can act as the owner has all rights anyway.
_IS_OWNER = "SELECT pg_has_role($1::name, current_user, 'MEMBER')"

_HAS = """
SELECT r.right_ FROM unnest($3::text[]) AS r (right_)
WHERE has_table_privilege($1::name, $2::text, r.right_)
"""

_CANNOT_CALL = """
SELECT proname, oid::regprocedure::text FROM pg_proc
WHERE proname = ANY($2::text[]) AND pronamespace = current_schema()::regnamespace
AND NOT has_function_privilege($1::name, oid, 'EXECUTE')
"""

_log = structlog.get_logger(__name__)


async def owns_schema(postgres: Postgres) -> bool:
    """Whether the role that is connected may migrate: one role for all, as in earlier versions."""
    async with postgres.connection() as connection:
        return bool(await connection.fetchval(_OWNS))


async def grant_to(connection: PostgresConnection, role: str) -> None:
    """Let a role do what ``rights.toml`` says and nothing more; told where that changes anything.

    Raises
    ------
    NotFoundError
        No role has this name.
    """
    if not await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", role):
        raise NotFoundError("database role", role)
    if await connection.fetchval(_IS_OWNER, role):
        return
    quoted = await connection.fetchval("SELECT quote_ident($1)", role)
    async with connection.transaction():
        changed = []
        for table, rights in RUNTIME_RIGHTS.items():
            found = {row[0] for row in await connection.fetch(_HAS, role, table, _ALL)}
            if found != set(rights):
                changed.append(table)
                await connection.execute(f"REVOKE ALL ON {table} FROM {quoted}")
                await connection.execute(f"GRANT {', '.join(rights)} ON {table} TO {quoted}")
        for name, function in await connection.fetch(_CANNOT_CALL, role, RUNTIME_FUNCTIONS):
            changed.append(name)
            await connection.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {quoted}")
        if not await connection.fetchval(
            "SELECT has_schema_privilege($1::name, current_schema(), 'USAGE')", role
        ):
            schema = await connection.fetchval("SELECT quote_ident(current_schema())")
            await connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO {quoted}")
    if changed:
        _log.info("rights_granted", role=role, tables=changed)
