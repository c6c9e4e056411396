"""Settings of the shop; portal/settings.py takes them over."""

from portal.environment import checked, env

# How many SIMs one customer may have, those ordered and in the cart counted: carriers limit it against misuse.
SIM_LIMIT = checked("SIM_LIMIT", env.int, 5, "must be 1 to 10.", lambda limit: 0 < limit <= 10)
