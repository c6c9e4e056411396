"""The Pub/Sub API of the simulated org: gRPC over TLS, as salesforce-wire.md, section 1, describes it."""
