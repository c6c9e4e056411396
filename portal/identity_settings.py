"""Settings of identity papers (docs/identity-papers.md); portal/settings.py takes them over."""

from portal.environment import checked, days, directory, env, wrapping_keys

# The encrypted files; every process that serves the web or works on the queue `cases` sees the same directory.
IDENTITY_DIR = directory("IDENTITY_DIR")
# Name -> 32 bytes that wrap each file's own key; the first wraps what is new, the others open what is old.
IDENTITY_KEYS = wrapping_keys()
IDENTITY_KEEP_DAYS = days("IDENTITY_KEEP_DAYS", 30)  # how long papers are kept after the decision
# The socket of a clamd that scans papers; empty: staff read "not scanned" beside them (decisions.md 32).
CLAMD_SOCKET = checked(
    "CLAMD_SOCKET", env.str, "", "must be an absolute path.", lambda path: not path or path.startswith("/")
)
