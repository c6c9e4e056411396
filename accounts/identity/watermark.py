"""Who opened a paper, and when, written across it: a copy that turns up somewhere says where it came from."""

import math
from io import BytesIO
from typing import Any

import pikepdf
from PIL import Image, ImageDraw, ImageFont

INK, CLEAR = (214, 40, 40, 130), (214, 40, 40, 0)  # seen on white paper and on dark photos alike
JPEG_QUALITY = 88
ANGLE = 30  # degrees
TEXT_TO_WIDTH = 42  # a character is a 42nd of the picture's width high
PDF_POINTS, PDF_LINES = 16, 7  # on every page
PDF_DEEPEST = 64  # nodes above a page


def stamp(content: bytes, content_type: str, words: str) -> bytes:
    """The paper with `words` (ASCII) all over it, in memory. Raises ValueError when nothing can be written on it."""
    write = WRITERS.get(content_type)
    if write is None:
        raise ValueError("not a type of paper")
    try:
        return write(content, words)
    except (pikepdf.PdfError, OSError, AttributeError, IndexError, TypeError, ValueError) as error:
        raise ValueError(type(error).__name__) from error  # the text may quote the paper


def _stamp_picture(content: bytes, words: str) -> bytes:
    """Some 120 MB at most: papers are stored with 4096 pixels on the longer side (cleaning.LONGEST_EDGE)."""
    picture: Image.Image = Image.open(BytesIO(content), formats=["JPEG"])
    picture.load()
    if picture.mode != "RGB":
        picture = picture.convert("RGB")
    tile = _tile(words, max(picture.width // TEXT_TO_WIDTH, 12))
    for y in range(-tile.height // 2, picture.height, tile.height // 3 + 1):
        for x in range(0, picture.width, tile.width):
            picture.paste(tile, (x, y), tile)  # in place: a large picture is in memory once
    out = BytesIO()
    picture.save(out, "JPEG", quality=JPEG_QUALITY)
    return out.getvalue()


def _tile(words: str, height: int) -> Image.Image:
    font = ImageFont.load_default(size=height)
    left, top, right, bottom = font.getbbox(words)
    tile = Image.new("RGBA", (math.ceil(right - left) + 2 * height, math.ceil(bottom - top) + height), CLEAR)
    ImageDraw.Draw(tile).text((height, height / 2 - top), words, font=font, fill=INK)
    return tile.rotate(ANGLE, resample=Image.Resampling.BICUBIC, expand=True)


def _stamp_pdf(content: bytes, words: str) -> bytes:
    out = BytesIO()
    with pikepdf.open(BytesIO(content)) as document:
        font = document.make_indirect(
            pikepdf.Dictionary(Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica)
        )
        see_through = document.make_indirect(pikepdf.Dictionary(Type=pikepdf.Name.ExtGState, ca=0.35))
        for page in document.pages:
            _take_over_resources(page)
            names = page.add_resource(font, pikepdf.Name.Font), page.add_resource(see_through, pikepdf.Name.ExtGState)
            page.contents_add(b"q\n", prepend=True)  # whatever the page changes ends before our words begin
            page.contents_add(_pdf_words(words, page.mediabox, *names))
        document.save(out)
    return out.getvalue()


def _take_over_resources(page: pikepdf.Page) -> None:
    """Fonts and pictures that a page has from the nodes above it stay its own once it is given some."""
    node: Any = page.obj
    for _level in range(PDF_DEEPEST):
        if pikepdf.Name.Resources in node:
            page.obj.Resources = node.Resources
            return
        if pikepdf.Name.Parent not in node:
            return
        node = node.Parent


def _pdf_words(words: str, box: pikepdf.Array, font: pikepdf.Name, state: pikepdf.Name) -> bytes:
    """The words on lines one above the other, as a content stream (PDF 32000-1, 9.4)."""
    left, bottom, top = min(float(box[0]), float(box[2])), *sorted((float(box[1]), float(box[3])))
    escaped = words.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
    turn = f"{math.cos(math.radians(ANGLE)):.4f} {math.sin(math.radians(ANGLE)):.4f}"
    back = f"{-math.sin(math.radians(ANGLE)):.4f} {math.cos(math.radians(ANGLE)):.4f}"
    lines = [
        f"{turn} {back} {left + 20:.1f} {bottom + (top - bottom) * line / PDF_LINES:.1f} Tm ({escaped}) Tj"
        for line in range(PDF_LINES)
    ]
    text = [f"{font} {PDF_POINTS} Tf", "0.7 0 0 rg", *lines]
    return "\n".join(["\nQ q", f"{state} gs", "BT", *text, "ET Q\n"]).encode("ascii")


WRITERS = {"application/pdf": _stamp_pdf, "image/jpeg": _stamp_picture}
