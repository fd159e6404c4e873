"""The GraphQL face of the platform: schema, execution by columns, transport over HTTP."""
