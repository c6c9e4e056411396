"""Files as browsers send them: papers, and what pretends to be one."""

import io
import struct
import zlib
from typing import Any

import pikepdf
from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

SECRET = "35.6452 N 139.7478 E"  # what a photo's metadata tells; any reader would find it
EXECUTABLE = b"PK\x03\x04 an archive with a program"


def picture(kind: str = "JPEG", size: tuple[int, int] = (800, 500), mode: str = "RGB", **how: Any) -> bytes:
    """A plain light picture."""
    out = io.BytesIO()
    Image.new(mode, size, 1 if mode == "1" else "lightblue").save(out, kind, **how)
    return out.getvalue()


def photo() -> bytes:
    """A photo from a phone held upright: the left half is red, the camera says "turn me", and where it was."""
    image = Image.new("RGB", (800, 500), "lightblue")
    image.paste("red", (0, 0, 400, 500))
    exif = Image.Exif()
    exif[Base.Orientation] = 6  # shown right, it is turned by 90° clockwise
    exif[Base.ImageDescription] = SECRET
    exif.get_ifd(IFD.GPSInfo)[GPS.GPSProcessingMethod] = SECRET
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif, comment=SECRET.encode(), icc_profile=b"profile " + SECRET.encode())
    return out.getvalue()


def pdf(pages: int = 1, change: Any = None, **how: Any) -> bytes:
    """Pages that inherit a font from the tree above them; `change` is called with the document."""
    document = pikepdf.new()
    for _ in range(pages):
        document.add_blank_page(page_size=(595, 842))
        page = document.pages[-1].obj
        page.Contents = document.make_stream(b"BT /F1 12 Tf 72 700 Td (Aiko Sato) Tj ET")
        if "/Resources" in page:
            del page["/Resources"]
    font = pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
    document.Root.Pages.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F1=font))
    document.docinfo["/Author"] = SECRET
    if change:
        change(document)
    out = io.BytesIO()
    document.save(out, **how)
    return out.getvalue()


def action(kind: str, **more: Any) -> pikepdf.Dictionary:
    return pikepdf.Dictionary(S=pikepdf.Name("/" + kind), **more)


def with_script(document: pikepdf.Pdf) -> None:
    document.Root.OpenAction = action("JavaScript", JS=pikepdf.String("app.alert(1)"))


def with_launch(document: pikepdf.Pdf) -> None:
    link = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Link, Rect=[0, 0, 9, 9])
    link.A = action("Launch", F=pikepdf.String("cmd.exe"))
    document.pages[0].obj.Annots = pikepdf.Array([link])


def with_attachment(document: pikepdf.Pdf) -> None:
    document.attachments["setup.exe"] = EXECUTABLE


def with_a_view(document: pikepdf.Pdf) -> None:
    """What every office program writes: open at the first page, one link."""
    document.Root.OpenAction = pikepdf.Array([document.pages[0].obj, pikepdf.Name.Fit])
    link = pikepdf.Dictionary(Type=pikepdf.Name.Annot, Subtype=pikepdf.Name.Link, Rect=[0, 0, 9, 9])
    link.A = action("URI", URI=pikepdf.String("https://evil.example/"))
    document.pages[0].obj.Annots = pikepdf.Array([link])


def zeros(megabytes: int, begin: bytes = b"") -> bytes:
    """`begin` and so many megabytes of zeros, deflated without unpacked bytes being made (RFC 1950, 1951)."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = packer.compress(begin) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(1024 * 1024)) + packer.flush(zlib.Z_FULL_FLUSH)
    high, low = divmod(zlib.adler32(begin), 65536)
    checksum = struct.pack(">HH", (high + megabytes * 1024 * 1024 * low) % 65521, low)
    return b"\x78\xda" + first + block * megabytes + packer.flush() + checksum


def with_a_bomb(document: pikepdf.Pdf, layers: int = 1) -> None:
    """A page that unpacks to 220 MB, deflated once or several times."""
    data = zeros(220)
    for _ in range(layers - 1):
        data = zlib.compress(data, 9)
    stream = document.make_stream(b"")
    stream.write(data, filter=pikepdf.Array([pikepdf.Name.FlateDecode] * layers))
    document.pages[0].obj.Contents = stream


def pdf_with_a_bomb_among_its_objects() -> bytes:
    """The page tree lies in an object stream of a gigabyte, which no reader can pass by (ISO 32000-2, 7.5.7)."""
    packed = zeros(1024, b"2 0 <</Type/Pages/Kids[]/Count 0>>")
    stream = b"<</Type/ObjStm/N 1/First 4/Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (len(packed), packed)
    out, entries = b"%PDF-1.5\n", [struct.pack(">BIB", 0, 0, 255)]
    for number, body in ((1, b"<</Type/Catalog/Pages 2 0 R>>"), (3, stream)):
        entries += [struct.pack(">BIB", 1, len(out), 0), *([struct.pack(">BIB", 2, 3, 0)] if number == 1 else [])]
        out += b"%d 0 obj%s endobj\n" % (number, body)
    entries.append(struct.pack(">BIB", 1, len(out), 0))
    table = b"".join(entries)
    head = b"<</Type/XRef/Size 5/W[1 4 1]/Root 1 0 R/Length %d>>" % len(table)
    return out + b"4 0 obj%sstream\n%s\nendstream endobj\nstartxref\n%d\n%%%%EOF\n" % (head, table, len(out))


def with_a_huge_picture(document: pikepdf.Pdf) -> None:
    stream = document.make_stream(picture(), Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image)
    stream.Width, stream.Height, stream.Filter = 60_000, 60_000, pikepdf.Name.DCTDecode
    document.pages[0].obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=stream))


def huge_png() -> bytes:
    """20,000 × 20,000 pixels in a few dozen kilobytes, written by hand: no test opens as many."""
    packer = zlib.compressobj(9)
    rows = b"".join([*(packer.compress(bytes(1 + 20_000 // 8)) for _ in range(20_000)), packer.flush()])
    head = struct.pack(">IIBBBBB", 20_000, 20_000, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(100)
GIF_AND_SCRIPT = b"GIF89a/*" + bytes(20) + b"*/=1;alert(document.cookie)"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
SVG_LATE = b'\xef\xbb\xbf \n<?xml version="1.0"?><!-- drawing --><svg xmlns="http://www.w3.org/2000/svg"/>'
PAGE = b"<!DOCTYPE html><script>alert(1)</script>"
