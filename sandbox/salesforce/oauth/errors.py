"""The refusals of the OAuth endpoints."""


class OAuthError(Exception):
    """A refusal; always HTTP 400 with these two texts (salesforce-wire.md, section 2)."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description

    def body(self) -> dict[str, str]:
        """What the answer says."""
        return {"error": self.error, "error_description": self.description}
