"""From the bytes of a table to its numbers: numba code that sees only arrays, to the last digit what ``float`` gives.

A decimal m·10^e whose digits m fit into 53 bits and whose |e| is at most 22 is one exact multiplication or division of
two doubles (Clinger, PLDI 1990, doi 10.1145/93542.93557). Longer ones, up to 19 digits, are rounded from the product of
m with a power of five of 128 bits (Lemire, Softw. Pract. Exper. 2021, 51, 1700, doi 10.1002/spe.2984). Anything else
(more digits, subnormal numbers, ``nan``) is left to Python, by position.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

__all__ = ["FLOAT", "INTEGER", "LEFT_OUT", "WORD", "parse_rows", "skip_rows"]

LEFT_OUT, FLOAT, INTEGER, WORD = 0, 1, 2, 3

_EXACT_POWERS = np.array([10.0**k for k in range(23)])
_LEAST, _MOST = -64, 64


def _powers_of_five() -> np.ndarray:
    """The leading 128 bits of 5^q for q from _LEAST to _MOST, shape (_MOST - _LEAST + 1, 2), uint64, high word first.

    Cut off for positive powers, rounded up for negative ones, as the proof of the method asks.
    """
    words = []
    for q in range(_LEAST, _MOST + 1):
        if q >= 0:
            power = 5**q
            shift = power.bit_length() - 128
            leading = power >> shift if shift > 0 else power << -shift
        else:
            power = 5**-q
            leading = (1 << (power.bit_length() + 128)) // power + 1
            leading >>= max(leading.bit_length() - 128, 0)
        words.append((leading >> 64, leading & (2**64 - 1)))
    return np.array(words, dtype=np.uint64)


_FIVES = _powers_of_five()

_LOW = np.uint64(0xFFFFFFFF)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_0, _1, _2, _3, _9, _32 = (np.uint64(k) for k in (0, 1, 2, 3, 9, 32))
_10, _52, _63 = (np.uint64(k) for k in (10, 52, 63))
_TWO_53 = np.uint64(2**53)
_NINE_BITS = np.uint64(0x1FF)


@njit(inline="always")
def _product(a: Any, b: Any) -> Any:
    """The 128 bits of the product of two 64-bit numbers, (high, low)."""
    a_low, a_high, b_low, b_high = a & _LOW, a >> _32, b & _LOW, b >> _32
    low = a_low * b_low
    middle = a_high * b_low + (low >> _32)
    other = a_low * b_high + (middle & _LOW)
    return a_high * b_high + (middle >> _32) + (other >> _32), (other << _32) | (low & _LOW)


@njit
def _rounded(digits: Any, exponent: Any) -> Any:
    """The bits of the double nearest to digits·10^exponent, and whether they are sure."""
    if exponent < _LEAST or exponent > _MOST:
        return _0, False
    shift = 0
    normal = digits
    for step in (32, 16, 8, 4, 2, 1):
        if normal >> np.uint64(64 - step) == _0:
            normal = normal << np.uint64(step)
            shift += step
    high, low = _product(normal, _FIVES[exponent - _LEAST, 0])
    if high & _NINE_BITS == _NINE_BITS:
        more, _ = _product(normal, _FIVES[exponent - _LEAST, 1])
        low = low + more
        if low < more:
            high = high + _1
    if low == _ALL and (exponent < -27 or exponent > 55):
        return _0, False
    upper = high >> _63
    kept = upper + _9
    mantissa = high >> kept
    power = ((152170 + 65536) * exponent >> 16) + 63 + np.int64(upper) - shift + 1023
    if power <= 0 or power >= 2046:
        return _0, False
    # Half way between two doubles: to the even one.
    if low <= _1 and -4 <= exponent <= 23 and mantissa & _3 == _1 and mantissa << kept == high:
        mantissa = mantissa & ~_1
    mantissa = (mantissa + (mantissa & _1)) >> _1
    if mantissa >= _TWO_53:
        mantissa = _1 << _52
        power += 1
    return (mantissa & ~(_1 << _52)) | (np.uint64(power) << _52), True


@njit
def _word(text: Any, position: int) -> Any:
    """Pack a word of up to eight bytes; give it, its length and where it ends."""
    begin, packed = position, np.int64(0)
    while text[position] > 32:
        if position - begin < 8:
            packed |= np.int64(text[position]) << np.int64(8 * (position - begin))
        position += 1
    return packed, position - begin, position


@njit
def _whole(text: Any, position: int) -> Any:
    """Read up to 18 digits; give their number, whether it is one, and where it ends."""
    begin, value = position, np.int64(0)
    while text[position] > 32:
        digit = np.int64(text[position]) - 48
        if digit < 0 or digit > 9 or position - begin > 17:
            return value, False, position
        value = value * 10 + digit
        position += 1
    return value, position > begin, position


@njit
def _decimal(text: Any, position: int) -> Any:
    """Read a decimal without its sign; give digits and exponent, whether these are all of it, and where it ends."""
    digits = _0
    significant = exponent = seen = 0
    digit: Any = np.int64(text[position]) - 48
    while 0 <= digit <= 9:
        if significant > 0 or digit > 0:
            significant += 1
        digits = digits * _10 + np.uint64(digit)
        seen += 1
        position += 1
        digit = np.int64(text[position]) - 48
    if text[position] == 46:
        position += 1
        digit = np.int64(text[position]) - 48
        while 0 <= digit <= 9:
            if significant > 0 or digit > 0:
                significant += 1
            digits = digits * _10 + np.uint64(digit)
            seen += 1
            exponent -= 1
            position += 1
            digit = np.int64(text[position]) - 48
    sure = seen > 0 and significant <= 19
    if text[position] == 101 or text[position] == 69:
        position += 1
        down = text[position] == 45
        if down or text[position] == 43:
            position += 1
        begin = position
        power: Any = 0
        while 48 <= text[position] <= 57:
            if position - begin < 6:
                power = power * 10 + np.int64(text[position]) - 48
            position += 1
        sure = sure and 0 < position - begin <= 6
        exponent += -power if down else power
    while text[position] > 32:
        sure = False
        position += 1
    return digits, exponent, sure, position


@njit(cache=True, nogil=True)
def parse_rows(
    text: np.ndarray,
    position: int,
    limit: int,
    row: int,
    rows: int,
    kinds: np.ndarray,
    slots: np.ndarray,
    floats: np.ndarray,
    bits: np.ndarray,
    integers: np.ndarray,
    slow: np.ndarray,
) -> tuple[int, int, int, int]:
    """Read rows of a table, up to the last complete line.

    Args:
        text: The bytes, uint8; a line ends at or before ``limit``.
        position: Where the next row begins.
        limit: Behind the last complete line.
        row: Number of the next row.
        rows: Number of the row to stop before.
        kinds: Shape (columns,), LEFT_OUT, FLOAT, INTEGER or WORD.
        slots: Shape (columns,), the column of ``floats`` or of ``integers`` that a column goes to.
        floats: Shape (rows, F), float64.
        bits: ``floats`` seen as uint64.
        integers: Shape (rows, I), int64; words of up to eight bytes are packed into one, first byte lowest.
        slow: Shape (K, 4), int64; row, slot, begin and end of floats left to Python.

    Returns:
        The next row, the position behind the last one read, how many rows of ``slow`` are filled, and the column at
        which ``row`` could not be read, or -1.
    """
    columns = len(kinds)
    left = 0
    while row < rows and position < limit and left + columns <= len(slow):
        begin_of_row = position
        for column in range(columns):
            while text[position] == 32 or text[position] == 9:
                position += 1
            begin, kind, slot = position, kinds[column], slots[column]
            if text[position] == 10 or text[position] == 13:
                return row, begin_of_row, left, column
            if kind == LEFT_OUT:
                while text[position] > 32:
                    position += 1
                continue
            if kind == WORD:
                integers[row, slot], length, position = _word(text, position)
                if length > 8:
                    return row, begin_of_row, left, column
                continue
            negative = text[position] == 45
            if negative or text[position] == 43:
                position += 1
            if kind == INTEGER:
                value, good, position = _whole(text, position)
                if not good:
                    return row, begin_of_row, left, column
                integers[row, slot] = -value if negative else value
                continue
            digits, exponent, sure, position = _decimal(text, position)
            if sure and digits <= _TWO_53 and -22 <= exponent <= 22:
                number = np.float64(digits)
                if exponent < 0:
                    number /= _EXACT_POWERS[-exponent]
                else:
                    number *= _EXACT_POWERS[exponent]
                floats[row, slot] = -number if negative else number
            elif sure and digits == _0:
                floats[row, slot] = -0.0 if negative else 0.0
            elif sure:
                pattern, sure = _rounded(digits, exponent)
                if sure:
                    bits[row, slot] = pattern | (_1 << _63 if negative else _0)
            if not sure:
                slow[left, 0], slow[left, 1], slow[left, 2], slow[left, 3] = row, slot, begin, position
                left += 1
        while text[position] != 10:
            if text[position] > 32:  # more columns than the header names
                return row, begin_of_row, left, columns
            position += 1
        position += 1
        row += 1
    return row, position, left, -1


@njit(cache=True, nogil=True)
def skip_rows(text: np.ndarray, position: int, limit: int, rows: int) -> tuple[int, int]:
    """Skip lines; return how many of them are still to come and the position behind the last one skipped."""
    while rows > 0 and position < limit:
        while text[position] != 10:
            position += 1
        position += 1
        rows -= 1
    return rows, position
