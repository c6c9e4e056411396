"""Who may have a token, and what a token says about its bearer (salesforce-wire.md, section 2)."""
