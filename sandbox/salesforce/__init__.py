"""A Salesforce org: OAuth, REST, the two Flows of the order process, and its event bus."""
