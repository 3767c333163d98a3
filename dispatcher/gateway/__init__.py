"""The people's side: everything over HTTP, for those who have a key."""

from dispatcher.gateway.access import Gate
from dispatcher.gateway.app import build_app
from dispatcher.gateway.atlas import Atlas, load_atlas
from dispatcher.gateway.city import City
from dispatcher.gateway.counting import HttpMetrics
from dispatcher.gateway.drafts import Drafts
from dispatcher.gateway.figures import watch_city
from dispatcher.gateway.file_link import FileLink
from dispatcher.gateway.handovers import Handovers
from dispatcher.gateway.kafka_link import KafkaLink
from dispatcher.gateway.keys import KeyFileError, KeyRow, Keys
from dispatcher.gateway.looks import Looks
from dispatcher.gateway.media import MediaError, MediaStore
from dispatcher.gateway.parts import Parts, parts_of
from dispatcher.gateway.roles import Person, RoleError
from dispatcher.gateway.serving import serve
from dispatcher.gateway.sessions import Sessions

__all__ = [
    "Atlas", "City", "Drafts", "FileLink", "Gate", "Handovers", "HttpMetrics", "KafkaLink", "KeyFileError", "KeyRow",
    "Keys", "Looks", "MediaError", "MediaStore", "Parts", "Person", "RoleError", "Sessions", "build_app", "load_atlas",
    "parts_of", "serve", "watch_city",
]  # fmt: skip
