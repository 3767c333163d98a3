"""The console: pages for operators, departments and grid officers, drawn here and kept current by streams.

A page is drawn whole by the server; a few plain modules in the browser put fresh rows in the place of old ones and send
what people do as the same requests any other program would (`/v1/updates`). Nothing is fetched from anywhere else.
"""

from dispatcher.console.site import add_console

__all__ = ["add_console"]
