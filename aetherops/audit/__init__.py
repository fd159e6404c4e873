"""Who changed what, when, and how it was before: appended to, and never changed."""
