"""The REST API: calls are parsed once, answered by one function each, and may come alone or inside of a Composite."""
