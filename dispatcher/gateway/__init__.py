"""The people's side: everything over HTTP, for those who have a key."""

from dispatcher.gateway.access import Gate
from dispatcher.gateway.app import Parts, build_app
from dispatcher.gateway.city import City
from dispatcher.gateway.keys import KeyFileError, KeyRow, Keys
from dispatcher.gateway.roles import Person, RoleError
from dispatcher.gateway.serving import serve

__all__ = ["City", "Gate", "KeyFileError", "KeyRow", "Keys", "Parts", "Person", "RoleError", "build_app", "serve"]
