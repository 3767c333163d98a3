"""Pictures: taken in without what they tell of their maker, kept by what they are, shown to those they concern."""

from dispatcher.gateway.media.attaching import Attachments
from dispatcher.gateway.media.routes import media
from dispatcher.gateway.media.store import MediaError, MediaStore

__all__ = ["Attachments", "MediaError", "MediaStore", "media"]
