"""What the portal asks of WHMCS, one typed method each."""
