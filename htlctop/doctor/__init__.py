"""Whether everything is in order: checks of credentials, connection, node, store and terminal."""
