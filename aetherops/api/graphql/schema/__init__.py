"""The schema: types, inputs and where they resolve."""
