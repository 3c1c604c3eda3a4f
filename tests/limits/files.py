"""The most demanding files of each format: small on disk, large in memory. Uses Python's standard library only."""

import os
import struct
import zipfile
import zlib
from io import BytesIO

# Undetectable refuses shorter files.
PADDING_BYTES = 1_024
FIXTURES = os.path.join(os.path.dirname(__file__), "..", "..", "fixtures")


def png(width, height, color=6, depth=16):
    """Returns a PNG of zeros, by default with 16 bits a channel and alpha."""
    row_bytes = width * {0: 1, 2: 3, 4: 2, 6: 4}[color] * depth // 8
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    pixels = deflated(bytes(1 + row_bytes), height)
    chunks = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


def png_chunk(kind, body):
    checksum = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", checksum)


def deflated(row, count):
    """Compresses `count` equal rows without holding them all in memory."""
    compressor = zlib.compressobj(9)
    parts = [compressor.compress(row) for _ in range(count)]
    return b"".join(parts) + compressor.flush()


def jpeg(width, height, progressive, sampling=0x11):
    """Returns a grey JPEG of three components. Each block takes one bit, or two in baseline."""

    def segment(marker, body):
        return bytes([0xFF, marker]) + struct.pack(">H", 2 + len(body)) + body

    def table(kind):
        # One code of one bit, for the symbol 0.
        return segment(0xC4, bytes([kind, 1]) + bytes(15) + bytes(1))

    luma_blocks = (sampling >> 4) * (sampling & 15)
    units = -(-width // (8 * (sampling >> 4))) * -(-height // (8 * (sampling & 15)))
    bits = units * (luma_blocks + 2) * (1 if progressive else 2)
    components = bytes([1, sampling, 0, 2, 0x11, 0, 3, 0x11, 0])
    frame = struct.pack(">BHHB", 8, height, width, 3) + components
    scan = bytes([3, 1, 0, 2, 0, 3, 0]) + (b"\0\0\0" if progressive else b"\0\x3f\0")
    return (
        b"\xff\xd8"
        + segment(0xDB, bytes([0]) + b"\x01" * 64)
        + segment(0xC2 if progressive else 0xC0, frame)
        + table(0x00)
        + table(0x10)
        + segment(0xDA, scan)
        + bytes(bits // 8)
        + bytes([0xFF >> bits % 8] if bits % 8 else [])
        + b"\xff\xd9"
    )


def webp(width, height):
    """Returns a lossless WebP of one colour, whose pixels take no bits."""
    bits = [(0x2F, 8), (width - 1, 14), (height - 1, 14), (1, 1), (0, 3)]
    # No transform, no cache, one group of codes. Each code is simple, with one symbol of one bit.
    bits += [(0, 1), (0, 1), (0, 1)] + [(1, 1), (0, 1), (0, 1), (0, 1)] * 5
    number, length = 0, 0
    for value, count in bits:
        number |= value << length
        length += count
    # Padding, which decoders do not read.
    data = number.to_bytes(-(-length // 8), "little") + bytes(PADDING_BYTES)
    data += bytes(len(data) % 2)
    chunk = b"VP8L" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def tiff(width, height, rows_per_strip=500):
    """Returns a deflated TIFF with 16 bits a channel and alpha. All its strips are the same bytes."""
    assert height % rows_per_strip == 0
    strip = deflated(bytes(8 * width), rows_per_strip)
    count = height // rows_per_strip
    at = 8
    offsets_at, lengths_at = at + len(strip), at + len(strip) + 4 * count
    depths_at = lengths_at + 4 * count
    formats_at = depths_at + 8
    directory_at = formats_at + 8
    entries = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, 4, depths_at),
        (259, 3, 1, 8),
        (262, 3, 1, 2),
        (273, 4, count, offsets_at),
        (277, 3, 1, 4),
        (278, 4, 1, rows_per_strip),
        (279, 4, count, lengths_at),
        (338, 3, 1, 2),
        (339, 3, 4, formats_at),
    ]
    directory = struct.pack("<H", len(entries))
    directory += b"".join(struct.pack("<HHII", *entry) for entry in entries) + bytes(4)
    return (
        b"II*\0"
        + struct.pack("<I", directory_at)
        + strip
        + struct.pack("<I", at) * count
        + struct.pack("<I", len(strip)) * count
        + struct.pack("<H", 16) * 4
        + struct.pack("<H", 1) * 4
        + directory
    )


def bmp(width, height):
    """Returns a run-length encoded BMP of 256 colours."""
    row = b"\xff\0" * (width // 255) + bytes([width % 255, 0] if width % 255 else []) + b"\0\0"
    pixels = row * height + b"\0\x01"
    palette = bytes(1024)
    at = 14 + 40 + len(palette)
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, 1, len(pixels), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", at + len(pixels), 0, 0, at) + info + palette + pixels


def gif(width, height):
    """Returns a GIF of one colour. Each code stands for a run that is one longer than the run before."""
    clear, end, bits, length, count = 4, 5, 0, 0, width * height
    data = bytearray()

    def put(code, size):
        nonlocal bits, length
        bits |= code << length
        length += size
        while length >= 8:
            data.append(bits & 0xFF)
            bits >>= 8
            length -= 8

    put(clear, 3)
    size, run = 3, 1
    while count > 0:
        run = min(run, count)
        put(0 if run == 1 else 4 + run, size)
        count -= run
        # Each code except the first adds an entry to the table.
        known = 4 + run + 1
        run += 1
        if known == 1 << size and size < 12:
            size += 1
        if known == 4095:
            put(clear, size)
            size, run = 3, 1
    put(end, size)
    put(0, 8)
    blocks = b"".join(
        bytes([len(part)]) + part
        for part in (bytes(data[at : at + 255]) for at in range(0, len(data), 255))
    )
    screen = struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)
    frame = b"," + struct.pack("<HHHHB", 0, 0, width, height, 0) + b"\x02"
    return b"GIF89a" + screen + frame + blocks + b"\0;"


def svg(side, nested):
    """Returns an SVG of nested layers."""
    opened = '<g opacity="0.9">' * nested
    shape = f'<rect width="{side}" height="{side}" fill="#333"/>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{side}" height="{side}">'
        f"{opened}{shape}{'</g>' * nested}<!--{' ' * PADDING_BYTES}--></svg>"
    ).encode()


def pdf(filler_bytes):
    """Returns a PDF of one empty page, with an unused stream of that length."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 14400 14400] >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (filler_bytes, bytes(filler_bytes)),
    ]
    out = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    at = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, at)
    return bytes(out)


def claiming(fixture, width, height):
    """Returns a HEIC or AVIF of the fixtures that declares these sides."""
    with open(os.path.join(FIXTURES, fixture), "rb") as file:
        content = bytearray(file.read())
    at = content.index(b"ispe") + 8
    content[at : at + 8] = struct.pack(">II", width, height)
    return bytes(content)


def archive(members):
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, content in members:
            file.writestr(name, content)
    return out.getvalue()


def worst():
    """Returns the files by name."""
    large = png(8_000, 8_000)
    progressive = jpeg(8_000, 8_000, progressive=True)
    files = {
        "rgba16.png": large,
        "grey8.png": png(16_384, 4_096, color=0, depth=8),
        "12mp.jpg": jpeg(4_000, 3_000, progressive=False, sampling=0x22),
        "baseline.jpg": jpeg(16_000, 4_096, progressive=False),
        "progressive.jpg": progressive,
        "12mp-progressive.jpg": jpeg(4_000, 3_000, progressive=True, sampling=0x22),
        "lossless.webp": webp(16_383, 4_096),
        "rgba16.tiff": tiff(8_000, 8_000),
        "8mp16.tiff": tiff(2_000, 4_000),
        "runs.bmp": bmp(8_000, 8_000),
        "one-colour.gif": gif(8_000, 8_000),
        "huge.svg": svg(1_000_000_000, 1),
        "layers.svg": svg(8_000, 60),
        "small.svg": svg(64, 2),
        "long.pdf": pdf(60_000_000),
        "huge.heic": claiming("plain.heic", 16_384, 4_096),
        "beyond.avif": claiming("plain.avif", 0x7FFFFFFF, 0x7FFFFFFF),
        # Files that fit a small container.
        "small.png": png(640, 480, depth=8),
        "4mp.jpg": jpeg(2_400, 1_600, progressive=False, sampling=0x22),
        "4mp.png": png(2_400, 1_600, depth=8),
        "1mp.webp": webp(1_280, 960),
    }
    members = [(f"{n}.png", large) for n in range(4)]
    members += [("p.jpg", progressive), ("w.webp", files["lossless.webp"])]
    members += [("b.bmp", files["runs.bmp"]), ("small.png", files["small.png"])]
    files["large.zip"] = archive(members)
    return files
