"""SOAP as far as old clients need it: login with a username and a password (salesforce-wire.md, section 8)."""
