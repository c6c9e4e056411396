"""The outside world, simulated: Salesforce, WHMCS, mail, and the people who work there."""
