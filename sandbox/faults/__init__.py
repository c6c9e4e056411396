"""Misbehaviour on command: rules that say which call of which system goes wrong, how, and how often."""
