"""The forms of the protocol's notation, written and read, from docs/protocol.md alone."""

BAD_FRAME = 7


class Fault(Exception):
    """The hub broke a rule: the code to close with, and why."""


def need(truth, why, code=BAD_FRAME):
    if not truth:
        raise Fault(code, why)


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out) + bytes([number])


def data(raw):
    return varint(len(raw)) + raw


def text(string):
    return data(string.encode())


def framed(kind, *parts):
    body = bytes([kind]) + b"".join(parts)
    return len(body).to_bytes(4, "little") + body


class Frame:
    """A frame after its type, read form by form."""

    def __init__(self, raw):
        self.raw, self.at = raw, 0

    def take(self, count):
        need(count <= len(self.raw) - self.at, "cut short")
        self.at += count
        return self.raw[self.at - count:self.at]

    def rest(self):
        return self.take(len(self.raw) - self.at)

    def end(self):
        need(self.at == len(self.raw), "bytes left over")

    def number(self, bits, least=0):
        number = shift = 0
        while True:
            byte = self.take(1)[0]
            number |= (byte & 127) << shift
            need(number >> bits == 0 and (byte or not shift), "a varint too large or too long")
            if byte < 128:
                need(number >= least, "a number too small")
                return number
            shift += 7

    def choice(self, variants):
        variant = self.number(32)
        need(variant < variants, "no such variant")
        return variant

    def bool(self):
        byte = self.take(1)[0]
        need(byte < 2, "neither yes nor no")
        return byte == 1

    def option(self, form):
        return form() if self.bool() else None

    def data(self, most=65_536):
        length = self.number(64)
        need(length <= most, "too long")
        return self.take(length)

    def text(self, most):
        try:
            return self.data(most).decode()
        except UnicodeDecodeError:
            raise Fault(BAD_FRAME, "not UTF-8") from None

    def name(self, most=128):
        name = self.text(most)
        controls = any(ord(each) < 32 or 127 <= ord(each) < 160 for each in name)
        need(name and not controls, "no name")
        return name

    def list(self, form, most, least=0):
        count = self.number(64)
        need(least <= count <= most, "the count of a list")
        return [form() for _ in range(count)]

    def carried(self, least=0):
        return self.list(lambda: (self.take(16), self.name(64), self.number(64)), 64, least)
