"""Who may ask: an authority as Entra ID is to clients, its tokens, and the door that checks them."""

from sandbox.auth.endpoints import token_routes
from sandbox.auth.gate import BearerGate, bearer_token, refuse_token
from sandbox.auth.tokens import Credentials, TokenDesk

__all__ = ["BearerGate", "Credentials", "TokenDesk", "bearer_token", "refuse_token", "token_routes"]
