"""FarmHash's Fingerprint64 and SipHash-2-4: hashes that are the same on every machine.

They equal the hashes in Keras's layers bit for bit. Plain Python is fast enough, because layers
hash each distinct value once.

Sources: FarmHash, `farmhash.h` (https://github.com/google/farmhash), whose names the private
functions have; J.-P. Aumasson and D. J. Bernstein, "SipHash: a fast short-input PRF", 2012;
TensorFlow's `fingerprint.h` for joining two fingerprints.
"""

MASK64 = (1 << 64) - 1
K0, K1, K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F
JOIN_MULTIPLIER = 0xC6A4A7935BD1E995


def fingerprint64(data: bytes) -> int:
    """Return FarmHash's fingerprint, an integer from 0 to 2**64 - 1.

    >>> hex(fingerprint64(b""))
    '0x9ae16a3b2f90404f'
    """
    length = len(data)
    if length <= 16:
        return _hash_len_0_to_16(data)
    if length <= 32:
        return _hash_len_17_to_32(data)
    if length <= 64:
        return _hash_len_33_to_64(data)
    return _hash_longer(data)


def siphash24(data: bytes, key: tuple[int, int]) -> int:
    """Return SipHash-2-4, an integer from 0 to 2**64 - 1, for a key of two such integers.

    >>> key = (0x0706050403020100, 0x0F0E0D0C0B0A0908)
    >>> hex(siphash24(bytes(range(15)), key))
    '0xa129ca6149be45e5'
    """
    first, second = key[0] & MASK64, key[1] & MASK64
    v = [
        first ^ 0x736F6D6570736575, second ^ 0x646F72616E646F6D,
        first ^ 0x6C7967656E657261, second ^ 0x7465646279746573,
    ]  # fmt: skip
    tail_start = len(data) // 8 * 8
    tail = data[tail_start:] + bytes(7 - len(data) % 8) + bytes([len(data) & 0xFF])
    for start in range(0, tail_start + 8, 8):
        word = _word(data, start) if start < tail_start else int.from_bytes(tail, "little")
        v[3] ^= word
        _sip_rounds(v, 2)
        v[0] ^= word
    v[2] ^= 0xFF
    _sip_rounds(v, 4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def join_fingerprints(first: int, second: int) -> int:
    """Return the fingerprint of two fingerprints; their order matters."""
    result = first ^ JOIN_MULTIPLIER
    result ^= _shift_mix(second * JOIN_MULTIPLIER & MASK64) * JOIN_MULTIPLIER & MASK64
    result = result * JOIN_MULTIPLIER & MASK64
    result = _shift_mix(result) * JOIN_MULTIPLIER & MASK64
    return _shift_mix(result)


def _word(data: bytes, start: int, size: int = 8) -> int:
    return int.from_bytes(data[start : start + size], "little")


def _rotate_right(value: int, shift: int) -> int:
    return (value >> shift | value << 64 - shift) & MASK64


def _rotate_left(value: int, shift: int) -> int:
    return (value << shift | value >> 64 - shift) & MASK64


def _shift_mix(value: int) -> int:
    return value ^ value >> 47


def _hash_len_16(u: int, v: int, factor: int) -> int:
    a = _shift_mix((u ^ v) * factor & MASK64)
    b = _shift_mix((v ^ a) * factor & MASK64)
    return b * factor & MASK64


def _hash_len_0_to_16(data: bytes) -> int:
    length = len(data)
    factor = K2 + length * 2 & MASK64
    if length >= 8:
        a, b = _word(data, 0) + K2 & MASK64, _word(data, length - 8)
        c = _rotate_right(b, 37) * factor + a & MASK64
        d = (_rotate_right(a, 25) + b) * factor & MASK64
        return _hash_len_16(c, d, factor)
    if length >= 4:
        a = _word(data, 0, 4)
        return _hash_len_16(length + (a << 3) & MASK64, _word(data, length - 4, 4), factor)
    if length > 0:
        y = data[0] + (data[length >> 1] << 8)
        z = length + (data[length - 1] << 2)
        return _shift_mix(y * K2 & MASK64 ^ z * K0 & MASK64) * K2 & MASK64
    return K2


def _hash_len_17_to_32(data: bytes) -> int:
    length = len(data)
    factor = K2 + length * 2 & MASK64
    a, b = _word(data, 0) * K1 & MASK64, _word(data, 8)
    c, d = _word(data, length - 8) * factor & MASK64, _word(data, length - 16) * K2 & MASK64
    return _hash_len_16(
        _rotate_right(a + b & MASK64, 43) + _rotate_right(c, 30) + d & MASK64,
        a + _rotate_right(b + K2 & MASK64, 18) + c & MASK64,
        factor,
    )


def _hash_len_33_to_64(data: bytes) -> int:
    length = len(data)
    factor = K2 + length * 2 & MASK64
    a, b = _word(data, 0) * K2 & MASK64, _word(data, 8)
    c, d = _word(data, length - 8) * factor & MASK64, _word(data, length - 16) * K2 & MASK64
    y = _rotate_right(a + b & MASK64, 43) + _rotate_right(c, 30) + d & MASK64
    z = _hash_len_16(y, a + _rotate_right(b + K2 & MASK64, 18) + c & MASK64, factor)
    e, f = _word(data, 16) * factor & MASK64, _word(data, 24)
    g = (y + _word(data, length - 32)) * factor & MASK64
    h = (z + _word(data, length - 24)) * factor & MASK64
    return _hash_len_16(
        _rotate_right(e + f & MASK64, 43) + _rotate_right(g, 30) + h & MASK64,
        e + _rotate_right(f + a & MASK64, 18) + g & MASK64,
        factor,
    )


def _weak_hash_len_32_with_seeds(data: bytes, start: int, a: int, b: int) -> tuple[int, int]:
    w, x, y, z = (_word(data, start + offset) for offset in (0, 8, 16, 24))
    a = a + w & MASK64
    b = _rotate_right(b + a + z & MASK64, 21)
    c = a
    a = a + x + y & MASK64
    b = b + _rotate_right(a, 44) & MASK64
    return a + z & MASK64, b + c & MASK64


def _hash_longer(data: bytes) -> int:
    x = 81
    y = 81 * K1 + 113 & MASK64
    z = _shift_mix(y * K2 + 113 & MASK64) * K2 & MASK64
    v, w = (0, 0), (0, 0)
    x = x * K2 + _word(data, 0) & MASK64
    end = (len(data) - 1) // 64 * 64
    rest = (len(data) - 1) % 64

    def mix(start: int, factor: int, times: int) -> None:
        nonlocal x, y, z, v, w
        x = _rotate_right(x + y + v[0] + _word(data, start + 8) & MASK64, 37) * factor & MASK64
        y = _rotate_right(y + v[1] + _word(data, start + 48) & MASK64, 42) * factor & MASK64
        x ^= w[1] * times & MASK64
        y = y + v[0] * times + _word(data, start + 40) & MASK64
        z = _rotate_right(z + w[0] & MASK64, 33) * factor & MASK64
        v = _weak_hash_len_32_with_seeds(data, start, v[1] * factor & MASK64, x + w[0] & MASK64)
        w = _weak_hash_len_32_with_seeds(
            data, start + 32, z + w[1] & MASK64, y + _word(data, start + 16) & MASK64
        )
        z, x = x, z

    for start in range(0, end, 64):
        mix(start, K1, 1)
    factor = K1 + ((z & 0xFF) << 1) & MASK64
    w = (w[0] + rest & MASK64, w[1])
    v = (v[0] + w[0] & MASK64, v[1])
    w = (w[0] + v[0] & MASK64, w[1])
    mix(end + rest - 63, factor, 9)
    return _hash_len_16(
        _hash_len_16(v[0], w[0], factor) + _shift_mix(y) * K0 + z & MASK64,
        _hash_len_16(v[1], w[1], factor) + x & MASK64,
        factor,
    )


def _sip_rounds(v: list[int], count: int) -> None:
    for _ in range(count):
        v[0] = v[0] + v[1] & MASK64
        v[2] = v[2] + v[3] & MASK64
        v[1] = _rotate_left(v[1], 13) ^ v[0]
        v[3] = _rotate_left(v[3], 16) ^ v[2]
        v[0] = _rotate_left(v[0], 32)
        v[2] = v[2] + v[1] & MASK64
        v[0] = v[0] + v[3] & MASK64
        v[1] = _rotate_left(v[1], 17) ^ v[2]
        v[3] = _rotate_left(v[3], 21) ^ v[0]
        v[2] = _rotate_left(v[2], 32)
