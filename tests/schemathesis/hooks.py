"""What Schemathesis can't know by itself: how readings are written, and that a zip file is one."""

import io
import json
import zipfile

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def lines(ctx, value):
    """Whatever was made up, as it would come over the line."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    return json.dumps(value).encode() + b"\n"


@schemathesis.deserializer("application/zip")
def names(ctx, response):
    """The names of the files in a zip file."""
    return "".join(zipfile.ZipFile(io.BytesIO(response.content)).namelist())
