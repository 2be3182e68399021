"""Hashes of texts that are the same on every machine: FarmHash's Fingerprint64 and SipHash-2-4.

They are those that Keras's layers use, bit for bit, in plain Python: a term is hashed once and then
remembered by whoever asks.

Sources: FarmHash, `farmhash.h` (https://github.com/google/farmhash); J.-P. Aumasson and D. J.
Bernstein, "SipHash: a fast short-input PRF", 2012; TensorFlow's `fingerprint.h` for the joining of
two fingerprints.
"""

WORD = (1 << 64) - 1
K0, K1, K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F
JOINING = 0xC6A4A7935BD1E995


def fingerprint64(data: bytes) -> int:
    """Return FarmHash's fingerprint, an integer from 0 to 2**64 - 1.

    >>> hex(fingerprint64(b""))
    '0x9ae16a3b2f90404f'
    """
    length = len(data)
    if length <= 16:
        return _up_to_16(data)
    if length <= 32:
        return _up_to_32(data)
    if length <= 64:
        return _up_to_64(data)
    return _longer(data)


def siphash24(data: bytes, key: tuple[int, int]) -> int:
    """Return SipHash-2-4, an integer from 0 to 2**64 - 1, under a key of two such integers.

    >>> key = (0x0706050403020100, 0x0F0E0D0C0B0A0908)
    >>> hex(siphash24(bytes(range(15)), key))
    '0xa129ca6149be45e5'
    """
    first, second = key[0] & WORD, key[1] & WORD
    v = [
        first ^ 0x736F6D6570736575, second ^ 0x646F72616E646F6D,
        first ^ 0x6C7967656E657261, second ^ 0x7465646279746573,
    ]  # fmt: skip
    whole = len(data) // 8 * 8
    last = data[whole:] + bytes(7 - len(data) % 8) + bytes([len(data) & 0xFF])
    for start in range(0, whole + 8, 8):
        word = _word(data, start) if start < whole else int.from_bytes(last, "little")
        v[3] ^= word
        _sip_rounds(v, 2)
        v[0] ^= word
    v[2] ^= 0xFF
    _sip_rounds(v, 4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def join_fingerprints(first: int, second: int) -> int:
    """Return the fingerprint of two fingerprints in this order."""
    result = first ^ JOINING
    result ^= _shift_mix(second * JOINING & WORD) * JOINING & WORD
    result = result * JOINING & WORD
    result = _shift_mix(result) * JOINING & WORD
    return _shift_mix(result)


def _word(data: bytes, start: int, size: int = 8) -> int:
    return int.from_bytes(data[start : start + size], "little")


def _rotate(value: int, shift: int) -> int:
    return (value >> shift | value << 64 - shift) & WORD


def _turned(value: int, shift: int) -> int:
    return (value << shift | value >> 64 - shift) & WORD


def _shift_mix(value: int) -> int:
    return value ^ value >> 47


def _of_two(u: int, v: int, factor: int) -> int:
    a = _shift_mix((u ^ v) * factor & WORD)
    b = _shift_mix((v ^ a) * factor & WORD)
    return b * factor & WORD


def _up_to_16(data: bytes) -> int:
    length = len(data)
    factor = K2 + length * 2 & WORD
    if length >= 8:
        a, b = _word(data, 0) + K2 & WORD, _word(data, length - 8)
        c = _rotate(b, 37) * factor + a & WORD
        d = (_rotate(a, 25) + b) * factor & WORD
        return _of_two(c, d, factor)
    if length >= 4:
        a = _word(data, 0, 4)
        return _of_two(length + (a << 3) & WORD, _word(data, length - 4, 4), factor)
    if length > 0:
        y = data[0] + (data[length >> 1] << 8)
        z = length + (data[length - 1] << 2)
        return _shift_mix(y * K2 & WORD ^ z * K0 & WORD) * K2 & WORD
    return K2


def _up_to_32(data: bytes) -> int:
    length = len(data)
    factor = K2 + length * 2 & WORD
    a, b = _word(data, 0) * K1 & WORD, _word(data, 8)
    c, d = _word(data, length - 8) * factor & WORD, _word(data, length - 16) * K2 & WORD
    return _of_two(
        _rotate(a + b & WORD, 43) + _rotate(c, 30) + d & WORD,
        a + _rotate(b + K2 & WORD, 18) + c & WORD,
        factor,
    )


def _up_to_64(data: bytes) -> int:
    length = len(data)
    factor = K2 + length * 2 & WORD
    a, b = _word(data, 0) * K2 & WORD, _word(data, 8)
    c, d = _word(data, length - 8) * factor & WORD, _word(data, length - 16) * K2 & WORD
    y = _rotate(a + b & WORD, 43) + _rotate(c, 30) + d & WORD
    z = _of_two(y, a + _rotate(b + K2 & WORD, 18) + c & WORD, factor)
    e, f = _word(data, 16) * factor & WORD, _word(data, 24)
    g = (y + _word(data, length - 32)) * factor & WORD
    h = (z + _word(data, length - 24)) * factor & WORD
    return _of_two(
        _rotate(e + f & WORD, 43) + _rotate(g, 30) + h & WORD,
        e + _rotate(f + a & WORD, 18) + g & WORD,
        factor,
    )


def _of_32(data: bytes, start: int, a: int, b: int) -> tuple[int, int]:
    w, x, y, z = (_word(data, start + offset) for offset in (0, 8, 16, 24))
    a = a + w & WORD
    b = _rotate(b + a + z & WORD, 21)
    c = a
    a = a + x + y & WORD
    b = b + _rotate(a, 44) & WORD
    return a + z & WORD, b + c & WORD


def _longer(data: bytes) -> int:
    x = 81
    y = 81 * K1 + 113 & WORD
    z = _shift_mix(y * K2 + 113 & WORD) * K2 & WORD
    v, w = (0, 0), (0, 0)
    x = x * K2 + _word(data, 0) & WORD
    end = (len(data) - 1) // 64 * 64
    rest = (len(data) - 1) % 64

    def mixed(start: int, factor: int, times: int) -> None:
        nonlocal x, y, z, v, w
        x = _rotate(x + y + v[0] + _word(data, start + 8) & WORD, 37) * factor & WORD
        y = _rotate(y + v[1] + _word(data, start + 48) & WORD, 42) * factor & WORD
        x ^= w[1] * times & WORD
        y = y + v[0] * times + _word(data, start + 40) & WORD
        z = _rotate(z + w[0] & WORD, 33) * factor & WORD
        v = _of_32(data, start, v[1] * factor & WORD, x + w[0] & WORD)
        w = _of_32(data, start + 32, z + w[1] & WORD, y + _word(data, start + 16) & WORD)
        z, x = x, z

    for start in range(0, end, 64):
        mixed(start, K1, 1)
    factor = K1 + ((z & 0xFF) << 1) & WORD
    w = (w[0] + rest & WORD, w[1])
    v = (v[0] + w[0] & WORD, v[1])
    w = (w[0] + v[0] & WORD, w[1])
    mixed(end + rest - 63, factor, 9)
    return _of_two(
        _of_two(v[0], w[0], factor) + _shift_mix(y) * K0 + z & WORD,
        _of_two(v[1], w[1], factor) + x & WORD,
        factor,
    )


def _sip_rounds(v: list[int], count: int) -> None:
    for _ in range(count):
        v[0] = v[0] + v[1] & WORD
        v[2] = v[2] + v[3] & WORD
        v[1] = _turned(v[1], 13) ^ v[0]
        v[3] = _turned(v[3], 16) ^ v[2]
        v[0] = _turned(v[0], 32)
        v[2] = v[2] + v[1] & WORD
        v[0] = v[0] + v[3] & WORD
        v[1] = _turned(v[1], 17) ^ v[2]
        v[3] = _turned(v[3], 21) ^ v[0]
        v[2] = _turned(v[2], 32)
