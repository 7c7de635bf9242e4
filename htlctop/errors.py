"""What can go wrong, one exit code each. The message says what the user can do."""


class HtlctopError(Exception):
    """Base of every error a user can be shown."""

    exit_code = 1


class UsageError(HtlctopError):
    """The command line or a file it names cannot be used as given."""

    exit_code = 2


class ConfigError(HtlctopError):
    """A setting, a path or a credential is missing or malformed."""

    exit_code = 3


class NodeConnectionError(HtlctopError):
    """The node cannot be reached, or is not ready; trying again may help."""

    exit_code = 4


class NodePermissionError(HtlctopError):
    """The node refuses us; trying again does not help until something is changed."""

    exit_code = 5


class StoreError(HtlctopError):
    """The store cannot be opened, read or written. Nothing in it was overwritten."""

    exit_code = 6


class StoreUnavailableError(StoreError):
    """The store cannot be written for now: no room, busy, read-only. Trying again may help."""


class ReadInterrupted(StoreError):
    """A read was broken off, as by a newer question; ask again."""
