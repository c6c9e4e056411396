"""Opens one uploaded file and writes it anew. Runs as a process of its own: what it reads was made by a stranger.

Standard input holds the file, standard output takes the result; both are files in memory. The first line of the
result is a content type with the new file after it, or `refused` and the reason (a key of papers.REFUSED). Anything
else – a crash, a limit – means that the file asked for more than a paper should. Imports nothing of the portal.
"""

import io
import re
import resource
import sys
import warnings
import zlib
from base64 import a85decode
from collections.abc import Iterator
from typing import Any

MEGABYTE = 1024 * 1024
# Of address space. Measured for 40 million pixels: photos of phones 310 to 420 MB, with transparency 450, CMYK 485.
MEMORY = 576 * MEGABYTE
CPU_S = 10
LARGEST_RESULT = 10 * MEGABYTE
MOST_PIXELS = 40_000_000
SHORTEST_EDGE = 300  # pixels: less cannot be read
LONGEST_EDGE = 4096  # pixels: larger pictures are made smaller
QUALITIES = (90, 75)  # of JPEG: the second when the first gives too many bytes
MODES = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"}
MOST_PAGES = 10
MOST_OBJECTS = 20_000
MOST_INFLATED = 200 * MEGABYTE  # all streams of one PDF together
PAGE_KEYS = {"/Type", "/Parent", "/MediaBox", "/CropBox", "/Rotate", "/Resources", "/Contents"}
# What a PDF can do besides showing pages (ISO 32000-2, 12.6.4 actions, 7.11.4 embedded files, 13 multimedia).
ACTIVE_KEYS = {"/JS", "/JavaScript", "/EmbeddedFile", "/EmbeddedFiles", "/EF", "/XFA", "/RichMediaContent"}
ACTIVE_KINDS = {"/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/RichMedia", "/Movie", "/Sound", "/Rendition"}
PICTURE_FILTERS = {"/DCTDecode", "/JPXDecode", "/CCITTFaxDecode", "/JBIG2Decode"}


class Refused(Exception):
    """The file is not taken; the text is the reason's key."""


def clean(data: bytes) -> tuple[str, bytes]:
    """Content type and bytes of the new file. Raises Refused, or whatever the libraries raise for a broken file."""
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg", picture(data, "JPEG")
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/jpeg", picture(data, "PNG")
    if data.startswith(b"%PDF-"):
        return "application/pdf", document(data)
    raise Refused("unknown")


# --- pictures


def picture(data: bytes, kind: str) -> bytes:
    """The picture as a new JPEG, the right way up, with nothing but its pixels; transparent parts become white."""
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    try:
        image: Image.Image = Image.open(io.BytesIO(data), formats=[kind])
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise Refused("too_many_pixels") from error
    if min(image.size) < SHORTEST_EDGE:
        raise Refused("too_small")
    if image.mode not in MODES:
        raise Refused("broken")
    image = _shades(image)
    image.thumbnail((LONGEST_EDGE, LONGEST_EDGE))
    return _as_jpeg(_opaque(ImageOps.exif_transpose(image)))


def _shades(image: Any) -> Any:
    """Black and white or a palette as shades, since only those can be made smaller; anything else is not read yet."""
    if image.mode == "1":
        return image.convert("L")
    if image.mode in {"P", "PA"}:
        return image.convert("RGBA" if image.has_transparency_data else "RGB")
    return image


def _opaque(image: Any) -> Any:
    from PIL import Image

    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    paper = Image.new("RGB", image.size, "white")
    paper.paste(image, mask=image.getchannel("A"))
    return paper


def _as_jpeg(image: Any) -> bytes:
    image.info.clear()  # else Pillow writes comment and colour profile of the original
    for quality in QUALITIES:
        out = io.BytesIO()
        image.save(out, "JPEG", quality=quality, exif=b"", icc_profile=None)
        if out.tell() <= LARGEST_RESULT:
            return out.getvalue()
    raise Refused("too_heavy")


# --- PDF


def document(data: bytes) -> bytes:
    """The pages in a new PDF with nothing else of the old one: no metadata, links, forms, attachments or scripts.

    Refused rather than mended: what is encrypted, and what contains something that acts.
    """
    import pikepdf

    try:
        old = pikepdf.open(io.BytesIO(data), attempt_recovery=False)
    except pikepdf.PasswordError as error:
        raise Refused("encrypted") from error
    except pikepdf.PdfError as error:  # qpdf says the same when it ran out of memory
        raise Refused("too_heavy" if _peak() > MEMORY // 4 else "broken") from error
    if old.is_encrypted:
        raise Refused("encrypted")
    _examine(old)
    if not 1 <= len(old.pages) <= MOST_PAGES:
        raise Refused("too_many_pages" if old.pages else "broken")
    for page in old.pages:
        for key in set(page.obj.keys()) - PAGE_KEYS:
            del page.obj[key]
    new = pikepdf.new()
    new.pages.extend(old.pages)
    out = io.BytesIO()
    new.save(out, deterministic_id=True)
    return out.getvalue()


def _examine(pdf: Any) -> None:
    import pikepdf

    if len(pdf.objects) > MOST_OBJECTS:
        raise Refused("too_heavy")
    left = MOST_INFLATED
    for each in pdf.objects:
        for holder in _dictionaries(each):
            if ACTIVE_KEYS & set(holder.keys()) or str(holder.get("/S", "")) in ACTIVE_KINDS:
                raise Refused("active")
            if str(holder.get("/Subtype", "")) == "/Image" and _pixels(holder) > MOST_PIXELS:
                raise Refused("too_many_pixels")
        if isinstance(each, pikepdf.Stream):
            left -= _inflated(each, left)


def _dictionaries(each: Any) -> Iterator[Any]:
    """The dictionaries of one object of the file, however deep; references are objects of their own."""
    import pikepdf

    waiting = [each]
    while waiting:
        here = waiting.pop()
        if isinstance(here, pikepdf.Dictionary | pikepdf.Stream):
            yield here
            waiting += [value for _, value in here.items() if _is_inside(value)]
        elif isinstance(here, pikepdf.Array):
            waiting += [value for value in here if _is_inside(value)]


def _is_inside(value: Any) -> bool:
    import pikepdf

    return isinstance(value, pikepdf.Dictionary | pikepdf.Array) and not value.is_indirect


def _pixels(image: Any) -> int:
    return int(image.get("/Width", 0)) * int(image.get("/Height", 0))


def _inflated(stream: Any, most: int) -> int:
    """How many bytes the stream's data comes to. Raises Refused beyond `most`, and for filters nobody writes today."""
    data = stream.read_raw_bytes()
    for name in _filters(stream):
        if name in PICTURE_FILTERS:
            break
        data = _undone(name, data, most)
    return len(data)


def _filters(stream: Any) -> list[str]:
    import pikepdf

    named = stream.get("/Filter")
    if named is None:
        return []
    return [str(named)] if isinstance(named, pikepdf.Name) else [str(each) for each in named]


def _undone(name: str, data: bytes, most: int) -> bytes:
    if name == "/ASCII85Decode":
        return a85decode(data.strip().removesuffix(b"~>").removeprefix(b"<~"))
    if name == "/ASCIIHexDecode":
        return bytes.fromhex(re.sub(rb"[\s>]", b"", data).decode("ascii"))
    if name != "/FlateDecode":
        raise Refused("broken")
    unpacker = zlib.decompressobj()
    plain = unpacker.decompress(data, most + 1)
    if len(plain) > most:
        raise Refused("too_heavy")
    return plain


# --- the process


def _peak() -> int:
    """Bytes of address space this process has had at most; getrusage would count those of its parent."""
    with open("/proc/self/status") as status:
        return int(next(line.split()[1] for line in status if line.startswith("VmPeak"))) * 1024


def limit() -> None:
    """Takes from this process what it will not need: memory, time, files, other processes, core dumps."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_FSIZE, LARGEST_RESULT + MEGABYTE),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
    ):
        resource.setrlimit(what, (most, most))


def main() -> None:
    """One file from input to output. Exit status 0 with a result, 1 when the libraries could not read the file."""
    limit()
    try:
        content_type, cleaned = clean(sys.stdin.buffer.read())
    except Refused as reason:
        sys.stdout.buffer.write(f"refused {reason}\n".encode())
    except MemoryError:
        sys.stdout.buffer.write(b"refused too_heavy\n")
    except Exception:  # noqa: BLE001 - whatever a library says of a broken file may quote it and goes nowhere
        sys.stdout.buffer.write(b"refused broken\n")
    else:
        sys.stdout.buffer.write(f"{content_type}\n".encode() + cleaned)


if __name__ == "__main__":
    main()
