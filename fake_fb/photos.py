"""Real PNG images, drawn from a user's name and an id: landscapes and portraits.

Every pixel is worked out in whole numbers and handed to Pillow as a finished palette image, so that the
pixels depend neither on Pillow's way of drawing nor on how a machine rounds. (The bytes of the file may
differ, because there is more than one zlib to compress it.)
"""

from functools import lru_cache
from io import BytesIO
from math import isqrt
from typing import NamedTuple

from PIL import Image

from .dice import Dice

WIDTH, HEIGHT = 320, 200  # of a photo, in pixels
PORTRAIT_PIXELS = 64  # width and height of a friend's picture
SKY_BANDS = 40

Colour = tuple[int, int, int]


class Mood(NamedTuple):
    """The colours of a time of day (red, green, blue: 0 to 255 each)."""

    zenith: Colour
    horizon: Colour
    sun: Colour
    far_hill: Colour
    near_hill: Colour


MOODS = {
    "dawn": Mood((126, 156, 205), (255, 214, 190), (255, 244, 214), (176, 160, 190), (72, 84, 110)),
    "noon": Mood((76, 152, 222), (208, 234, 248), (255, 250, 220), (138, 184, 160), (46, 112, 72)),
    "sunset": Mood((88, 62, 128), (255, 160, 92), (255, 226, 140), (172, 88, 104), (58, 34, 66)),
    "dusk": Mood((18, 26, 62), (104, 118, 168), (240, 240, 226), (62, 76, 124), (16, 24, 48)),
}
MOOD_NAMES = tuple(MOODS)

SKINS = ((246, 214, 186), (226, 180, 142), (190, 136, 98), (138, 92, 62))
HAIRS = ((46, 34, 30), (96, 62, 38), (168, 112, 62), (214, 176, 110), (120, 120, 126))
SHIRTS = ((58, 110, 165), (190, 82, 74), (88, 140, 92), (226, 168, 72), (126, 96, 156), (70, 150, 150))
WALLS = ((214, 228, 240), (244, 226, 208), (222, 236, 216), (236, 220, 236), (240, 236, 212))


def mood(photo_id: str) -> str:
    """The time of day a photo shows, a key of MOODS; captions are chosen to go with it."""
    return MOOD_NAMES[int(photo_id) % len(MOOD_NAMES)]


@lru_cache(maxsize=512)  # a photo takes 1 to 2 KB
def photo(user: str, photo_id: str) -> bytes:
    """A landscape as a PNG file of WIDTH x HEIGHT pixels."""
    dice = Dice("photo", user, photo_id)
    colours = MOODS[mood(photo_id)]
    hills = [_outline(dice, top, swing) for top, swing in ((110, 26), (134, 22), (160, 18))]
    sky = bytes(y * SKY_BANDS // HEIGHT for y in range(HEIGHT))
    columns = _sun(dice, [sky] * WIDTH, colour=SKY_BANDS)
    for shade, outline in enumerate(hills, start=SKY_BANDS + 1):
        columns = [column[:top] + bytes([shade]) * (HEIGHT - top) for column, top in zip(columns, outline, strict=True)]
    return _png(columns, _palette(dice, colours))


@lru_cache(maxsize=512)
def portrait(user: str, friend_id: str) -> bytes:
    """A friend's picture as a PNG file of PORTRAIT_PIXELS x PORTRAIT_PIXELS pixels: a head and shoulders."""
    dice = Dice("portrait", user, friend_id)
    palette = [dice.pick(colours) for colours in (WALLS, SHIRTS, HAIRS, SKINS)]
    long_hair = dice.below(2)
    middle = PORTRAIT_PIXELS // 2
    columns = [bytes(PORTRAIT_PIXELS)] * PORTRAIT_PIXELS
    columns = _disc(columns, middle, 26, 17, colour=2)  # the hair lies behind the face...
    if long_hair:
        columns = _disc(columns, middle, 36, 18, colour=2)
    columns = _disc(columns, middle, 66, 24, colour=1)
    columns = _disc(columns, middle, 41, 7, colour=3)
    columns = _disc(columns, middle + dice.between(-1, 1), 30, 13, colour=3)  # ...which covers it
    return _png(columns, palette)


def _outline(dice: Dice, top: int, swing: int) -> list[int]:
    """Where a range of hills begins in each of the WIDTH columns, in pixels from the top."""
    step = dice.pick((64, 80, 107))
    peaks = [top + dice.between(-swing, swing) for _ in range(WIDTH // step + 3)]
    shift = dice.below(step)
    return [_between(peaks, x + shift, step) for x in range(WIDTH)]


def _between(peaks: list[int], x: int, step: int) -> int:
    """A smooth way from peak to peak: 3t^2 - 2t^3, in whole numbers."""
    i, t = divmod(x, step)
    return peaks[i] + (peaks[i + 1] - peaks[i]) * t * t * (3 * step - 2 * t) // step**3


def _sun(dice: Dice, columns: list[bytes], colour: int) -> list[bytes]:
    """The sky with a sun or moon in it, often half behind the hills."""
    x, y = dice.between(50, WIDTH - 50), dice.between(40, 96)
    return _disc(columns, x, y, dice.between(14, 24), colour)


def _disc(columns: list[bytes], x: int, y: int, radius: int, colour: int) -> list[bytes]:
    """The columns with a disc on top of them; what lies outside the image is cut off."""
    result = list(columns)
    for dx in range(max(-radius, -x), min(radius, len(columns) - 1 - x) + 1):
        half = isqrt(radius * radius - dx * dx)
        column = result[x + dx]
        top, bottom = max(y - half, 0), min(y + half + 1, len(column))
        result[x + dx] = column[:top] + bytes([colour]) * (bottom - top) + column[bottom:]
    return result


def _palette(dice: Dice, colours: Mood) -> list[Colour]:
    """SKY_BANDS colours of the sky, the sun's, and three of the hills; tinted a little by the dice."""
    tint = [dice.between(-14, 14) for _ in range(3)]
    # The hills cover the lower half: the horizon's colour must be reached a good way above the bottom.
    horizon_band = SKY_BANDS * 7 // 10
    sky = [_mix(colours.zenith, colours.horizon, min(band, horizon_band), horizon_band) for band in range(SKY_BANDS)]
    hills = [_mix(colours.far_hill, colours.near_hill, i, 2) for i in range(3)]
    return [_tinted(colour, tint) for colour in (*sky, colours.sun, *hills)]


def _mix(first: Colour, second: Colour, part: int, whole: int) -> Colour:
    red, green, blue = (a + (b - a) * part // whole for a, b in zip(first, second, strict=True))
    return red, green, blue


def _tinted(colour: Colour, tint: list[int]) -> Colour:
    red, green, blue = (min(max(value + t, 0), 255) for value, t in zip(colour, tint, strict=True))
    return red, green, blue


def _png(columns: list[bytes], palette: list[Colour]) -> bytes:
    """The file of an image that is given as columns of palette indexes."""
    # Pillow needs rows. Columns as rows are the image on its side.
    lying = Image.frombytes("P", (len(columns[0]), len(columns)), b"".join(columns))
    lying.putpalette([value for colour in palette for value in colour])
    file = BytesIO()
    lying.transpose(Image.Transpose.TRANSPOSE).save(file, "PNG", optimize=True)
    return file.getvalue()
