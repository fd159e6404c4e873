"""The exceptions of AetherOps: one root, three branches, and what stands alone.

::

    AetherOpsError
    ├── InvalidInputError (also ValueError)  the caller's input is wrong: names the field
    │   ├── CyclicStepsError                 steps that wait in a ring (workflow.execution.errors)
    │   ├── DuplicateStepError               two of one name (workflow.execution.errors)
    │   ├── UnknownDependencyError           after a step that is not (workflow.execution.errors)
    │   └── MissingHandlerError              a step nobody does (workflow.execution.errors)
    ├── RefusedError                         understood, but not allowed
    │   ├── UnauthenticatedError             who are you?
    │   ├── ForbiddenError                   not with these rights
    │   ├── NotFoundError                    no such thing
    │   │   ├── UnknownStreamError           and what may be meant (cli.query.catalogue)
    │   │   ├── UnknownDefinitionError       no such definition (workflow.execution.errors)
    │   │   ├── WorkflowNotFoundError        no event of it (workflow.errors)
    │   │   ├── NotYetCreatedError           no event of it by then (workflow.errors)
    │   │   └── UnknownBeforeMigrationError  no event of it yet, then (workflow.errors)
    │   ├── LimitExceededError               too much at once
    │   ├── StreamConflictError              a stream has another unit or kind (archive.metadata)
    │   ├── RateLimitedError                 too often (ratelimit.errors)
    │   ├── IllegalTransitionError           not from this state (resilience.breakers.errors)
    │   ├── IllegalMoveError                 not in this state (workflow.errors)
    │   ├── ConcurrencyError                 another event was first (workflow.errors)
    │   ├── FencedError                      another holds the workflow (workflow.errors)
    │   └── DuplicateEventError              an id that another event bears (workflow.errors)
    ├── UnavailableError                     a dependency is down: try again later
    │   ├── UnreachableError                 no connection, or no answer in time
    │   │   └── NotRunningError              no platform is there (runtime.data_dir.instance)
    │   ├── StoreCannotWriteError            a server answers, and cannot write
    │   ├── BacklogFullError                 too much waits to be stored (archive.intake)
    │   ├── ForeignEntryError                a key of a limit, written by others (ratelimit.errors)
    │   ├── BreakerOpenError                 the call was not made (resilience.breakers.errors)
    │   ├── MigrationBlockedError            others hold its tables (runtime.migrate.applying)
    │   ├── DiskFullError                    no more data is taken in (runtime.data_dir.disk)
    │   └── ServerStartError                 an embedded server (runtime.embedded.child)
    ├── DamagedChunkError                    what was stored cannot be read (archive.chunk)
    ├── EventLoopError (also RuntimeError)   would stop an event loop (workflow.errors)
    ├── MissingEventError                    events with one missing between (workflow.errors)
    ├── PublishedAheadError                  more events told than stored (workflow.publication)
    ├── UnreadableEventError                 stored, and not readable here (workflow.errors)
    │   ├── UnknownKindError                 of a kind that nobody knows (workflow.errors)
    │   ├── UnknownSchemaVersionError        of a newer version (workflow.errors)
    │   └── DamagedEventError                not what its kind says (workflow.errors)
    ├── SchemaOutdatedError                  the owner has to migrate (runtime.migrate.ledger)
    ├── RefusedBatchesError                  the others can be stored (archive.postgres.metadata)
    ├── AlreadyRunningError                  two on one directory (runtime.data_dir.locks)
    ├── AddressInUseError                    two on one port (runtime.http.server)
    ├── PartEndedError                       a part returned unasked (runtime.supervision)
    ├── ServerRefusedError                   a command's server did not do it (cli.outcome)
    │   └── ServerBusyError                  and may do it later (cli.outcome)
    └── FaultFoundError                      a fault in a command, in its words (cli.outcome)

An error of another module is drawn with it. Adapters translate their driver's errors into these,
``from`` the original.
"""

from __future__ import annotations

__all__ = [
    "AetherOpsError",
    "ForbiddenError",
    "InvalidInputError",
    "LimitExceededError",
    "NotFoundError",
    "RefusedError",
    "StoreCannotWriteError",
    "UnauthenticatedError",
    "UnavailableError",
    "UnreachableError",
]

_SHOWN_VALUE_LENGTH = 120


class AetherOpsError(Exception):
    """Root of every exception that AetherOps raises on purpose."""


class InvalidInputError(AetherOpsError, ValueError):
    """Input that can never be accepted as it is.

    Parameters
    ----------
    field : where the input stands, as its sender names it (``"range.end"``, ``"line 7"``).
    value : what was found there; shown shortened.
    expected : what would have been accepted.
    """

    def __init__(self, field: str, value: object, expected: str) -> None:
        self.field = field
        self.value = value
        self.expected = expected
        super().__init__(field, value, expected)

    def __str__(self) -> str:
        return f"{self.field}: expected {self.expected}, got {shown(self.value)}"


class RefusedError(AetherOpsError):
    """A request that was understood and is not granted."""


class UnauthenticatedError(RefusedError):
    """No token, or one that proves nothing."""


class ForbiddenError(RefusedError):
    """The operator is known and lacks the right."""


class NotFoundError(RefusedError):
    """Nothing has this name.

    Parameters
    ----------
    kind : what was looked for (``"stream"``).
    name : the name that nothing has.
    """

    def __init__(self, kind: str, name: str) -> None:
        self.kind = kind
        self.name = name
        super().__init__(kind, name)

    def __str__(self) -> str:
        return f"no {self.kind} is named {shown(self.name)}"


class LimitExceededError(RefusedError):
    """More than a limit allows.

    Parameters
    ----------
    what : the thing that is limited, with its unit (``"samples in one answer"``).
    limit : the most that is allowed.
    asked : how much was asked for.
    """

    def __init__(self, what: str, limit: int, asked: int) -> None:
        self.what = what
        self.limit = limit
        self.asked = asked
        super().__init__(what, limit, asked)

    def __str__(self) -> str:
        return f"{self.what}: at most {self.limit:,}, asked for {self.asked:,}"


class UnavailableError(AetherOpsError):
    """A dependency does not answer; the same request may succeed later.

    Parameters
    ----------
    dependency : its name (``"postgres"``).
    retry_after_s : seconds after which a new try makes sense.
    """

    def __init__(self, dependency: str, retry_after_s: float = 1.0) -> None:
        self.dependency = dependency
        self.retry_after_s = retry_after_s
        super().__init__(dependency, retry_after_s)

    def __str__(self) -> str:
        return f"{self.dependency} is unavailable, try again in {self.retry_after_s:g} s"


class UnreachableError(UnavailableError):
    """No connection to a server could be made, or it does not answer in time.

    Parameters
    ----------
    dependency : which server (``"postgres"``).
    address : where it was looked for, without credentials.
    reason : what is wrong; an exception speaks for itself.
    """

    def __init__(self, dependency: str, address: str, reason: object) -> None:
        super().__init__(dependency)
        self.address = address
        self.reason = str(reason) or type(reason).__name__
        self.args = (dependency, self.address, self.reason)

    def __str__(self) -> str:
        return f"{self.dependency} at {self.address} cannot be reached: {self.reason}"


class StoreCannotWriteError(UnavailableError):
    """A server answers questions and cannot write: its disk is full, or it lets nobody.

    Parameters
    ----------
    dependency : which server (``"postgres"``).
    reason : in the server's own words.
    """

    def __init__(self, dependency: str, reason: object) -> None:
        super().__init__(dependency, 5.0)
        self.reason = str(reason) or type(reason).__name__
        self.args = (dependency, self.reason)

    def __str__(self) -> str:
        return f"{self.dependency} cannot write: {self.reason}"


def shown(value: object) -> str:
    """The ``repr`` of a value, cut to a length that fits a message; its type where it has none."""
    try:
        text = repr(value)
    except Exception:  # nested too deeply, or of a class whose own repr fails
        text = f"<{type(value).__name__}>"
    if len(text) <= _SHOWN_VALUE_LENGTH:
        return text
    return f"{text[:_SHOWN_VALUE_LENGTH]}… ({len(text):,} characters)"
