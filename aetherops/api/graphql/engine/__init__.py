"""GraphQL without a transport: a document in, an answer out."""
