"""Taking in what a browser uploads: into memory, at most 10 MB, on the one page that takes files.

Django's own handlers would write larger files to a disk in plain; here nothing that was sent is ever on one.
"""

from io import BytesIO
from typing import Any

from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile, StopUpload
from django.urls import reverse

LARGEST = 10 * 1024 * 1024  # bytes of one file
READ_TO_THE_END = 4 * LARGEST  # of a body that is too large, so that the browser shows our sentence and no error


class TooBig(InMemoryUploadedFile):
    """Stands for a file that was larger than allowed; none of it was kept."""

    def __init__(self, field_name: str) -> None:
        super().__init__(BytesIO(), field_name, "", None, 0, None)


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
        """The file, without a name, or TooBig."""
        field_name = str(self.field_name)
        if self.kept is None:
            return TooBig(field_name)
        self.kept.seek(0)
        return InMemoryUploadedFile(self.kept, field_name, "upload", None, file_size, None)
