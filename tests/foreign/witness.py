"""What a leaf tells is written down, one event a line (the form: src/testing/transcript.rs)."""

from forms import Frame, text, varint


class Witness:
    """Of one object. `lines` is shared by all witnesses of a program."""

    def __init__(self, voice, name, lines):
        self.voice, self.name, self.lines = voice, name, lines

    def note(self, event, *fields):
        self.lines.append("\t".join([event, self.voice, self.name, *map(str, fields)]) + "\n")

    async def say(self, leaf, *oids):
        """Message 1: some words, and the objects that go with them."""
        words = f"{self.voice}:{leaf.next_op}"
        self.note("said", leaf.next_op, words)
        await leaf.shout(1, text(words) + b"".join(map(varint, range(len(oids)))), oids)

    def joined(self, leaf, start, state, listed):
        self.note("joined", start)

    def heard(self, leaf, seq, kind, payload, listed):
        words = Frame(payload).text(65_536)
        self.note("heard", seq, words.partition(":")[0], words)

    def settled(self, leaf, op, seq, why):
        if seq is not None:
            self.note("receipted", op, seq)
        elif why is not None:
            self.note("lost", op, why)
        else:
            self.note("unknown", op)

    def parted(self, leaf):
        self.note("parted")
