"""People: clients, their users and contacts, how they sign in and what they pay with."""
