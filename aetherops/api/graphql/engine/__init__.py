"""GraphQL without its transport: a document, what it costs, its execution."""
