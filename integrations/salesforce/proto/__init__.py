"""The messages of the Pub/Sub API, generated from eventbus.proto."""
