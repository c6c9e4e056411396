"""SOQL: parsed by a grammar, bound to the schema, run over the org's records. What it does not know it refuses."""
