"""The crash campaign: the portal's real processes die, stand still and fail at every point, and the ledger judges."""
