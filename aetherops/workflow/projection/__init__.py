"""Projections: what events say, folded into a state."""
