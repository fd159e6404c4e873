"""Kept states: a shortcut through long histories, which never changes an answer."""
