"""A picture as it is kept: its pixels and nothing else, encoded anew by us.

Cameras write into a picture where it was taken, when and by which telephone. What is written here is made from the
pixels alone, turned the way the camera was held, so nothing that is not seen can stay in it; and no file that somebody
else has put together is ever handed on.
"""

import io
from typing import Final, NamedTuple

__all__ = ["BadPicture", "Picture", "cleaned"]

PIXELS_MAX: Final = 50_000_000  # as the best telephones make; 300 MB while one is turned
SIDE_MAX: Final = 20_000
JPEG_QUALITY: Final = 90
_TYPES: Final = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}


class BadPicture(ValueError):
    """It is no picture of a kind that is taken, or too large a one; the message says which kinds are."""


class Picture(NamedTuple):
    """A picture to be kept: JPEG, or PNG where it came as one."""

    data: bytes
    media_type: str
    width: int
    height: int


def cleaned(data: bytes, bytes_max: int) -> Picture:
    """The picture in a file of JPEG, PNG or WebP.

    Args:
        data: the file.
        bytes_max: of what is made of it.

    Raises:
        BadPicture: it is something else, broken, or beyond the limits, which are looked at before it is unpacked.
    """
    try:
        return _cleaned(data, bytes_max)
    except BadPicture:
        raise
    except Exception as error:
        # whatever a decoder says of a broken file: it is the file's fault
        raise BadPicture(f"not a picture that can be read: {type(error).__name__}") from error


def _cleaned(data: bytes, bytes_max: int) -> Picture:
    from PIL import Image, ImageOps  # not for those that never see a picture

    with Image.open(io.BytesIO(data), formats=tuple(_TYPES)) as opened:
        width, height = opened.size
        if width * height > PIXELS_MAX or max(width, height) > SIDE_MAX:
            raise BadPicture(f"{width} by {height} pixels; at most {PIXELS_MAX:,} in all and {SIDE_MAX:,} a side")
        form = "PNG" if opened.format == "PNG" else "JPEG"
        ImageOps.exif_transpose(opened, in_place=True)
        pixels = opened.convert("RGBA" if form == "PNG" and opened.has_transparency_data else "RGB")
    pixels.info.clear()  # comments and profiles would be written again
    out = io.BytesIO()
    pixels.save(out, form, **({"quality": JPEG_QUALITY} if form == "JPEG" else {}))
    if out.tell() > bytes_max:
        raise BadPicture(f"{out.tell():,} bytes as it would be kept, at most {bytes_max:,}")
    return Picture(out.getvalue(), _TYPES[form], *pixels.size)
