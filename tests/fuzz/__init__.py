"""Hostile requests, made from right ones: nothing may crash, and nothing that is sent may become SQL."""
