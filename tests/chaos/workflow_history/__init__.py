"""Histories of an event store under kills: processes that make them, and what must hold of them."""
