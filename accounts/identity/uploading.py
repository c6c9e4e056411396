"""Taking in what a browser uploads: into memory, at most 10 MB, on the one page that takes files.

Django's own handlers would write larger files to a disk in plain; here nothing that was sent is ever on one.
"""

from collections.abc import Mapping
from io import BytesIO
from typing import Any

from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopUpload
from django.http import HttpRequest
from django.urls import reverse

LARGEST = 10 * 1024 * 1024  # bytes of one file
READ_TO_THE_END = 4 * LARGEST  # of a body that is too large, so that the browser shows our sentence and no error


class NotKept(InMemoryUploadedFile):
    """Stands for a file that was not taken in; `reason` is a key of papers.REFUSED."""

    def __init__(self, reason: str) -> None:
        super().__init__(BytesIO(), "file", "upload", None, 0, None)
        self.reason = reason


def files_of(request: HttpRequest) -> Mapping[str, Any]:
    """What request.FILES holds; or the NotKept that stands for a body too large to be read at all."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not request.FILES and length.isdigit() and int(length) > READ_TO_THE_END:
        return {"file": NotKept("too_big")}
    return request.FILES


class InMemory(FileUploadHandler):
    """For the setting FILE_UPLOAD_HANDLERS, as the only one. The name a file came with is not kept."""

    def handle_raw_input(self, input_data: Any, META: Any, content_length: int, *args: Any, **kwargs: Any) -> None:
        """A body far too large is not read to its end: the form's fields stand before the file and have been read."""
        self.hopeless = content_length > READ_TO_THE_END

    def new_file(self, field_name: str, *args: Any, **kwargs: Any) -> None:
        """Begins a file. Raises SkipFile where no file is expected, StopUpload when the body is hopelessly large."""
        super().new_file(field_name, *args, **kwargs)
        if self.hopeless:
            raise StopUpload(connection_reset=True)
        if self.request is None or self.request.path_info != reverse("identity_upload"):
            raise SkipFile
        self.kept: BytesIO | None = BytesIO()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Keeps the bytes, or lets go of all of them once there are too many."""
        if self.kept is not None and start + len(raw_data) > LARGEST:
            self.kept = None
        if self.kept is not None:
            self.kept.write(raw_data)

    def file_complete(self, file_size: int) -> InMemoryUploadedFile:
        """The file, without a name, or NotKept."""
        if self.kept is None:
            return NotKept("too_big")
        self.kept.seek(0)
        return InMemoryUploadedFile(self.kept, str(self.field_name), "upload", None, file_size, None)
