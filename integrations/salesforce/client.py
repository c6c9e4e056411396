"""What the portal asks of Salesforce, one typed method each, over simple-salesforce in direct mode."""
