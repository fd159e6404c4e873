"""The schema's part about workflows."""
