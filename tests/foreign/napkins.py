"""Draws blots on napkins and is told of others: objects in messages and in states.

Run by tests/it/foreign/napkins.rs as

    python3 napkins.py --connect tcp://HOST:PORT --voice NAME --transcript FILE

it does what the lines of its standard input say, one by one, and answers each by a line:

    open NAPKIN             joined OBJECT INK...  (those of the blots that its state lists)
    glance NAPKIN           the same; takes up nothing that is drawn on it from then on
    draw NAPKIN INK INK...  drew BLOT  (a new one, beside which others lie; nothing is awaited)
    make NAPKIN BLOT...     made OBJECT  (a new napkin with a state)
    pass NAPKIN BLOT        passed BLOT  (one that it has let go; otherwise it fails)
    say BLOT                said BLOT
    hear OBJECT SEQ         heard OBJECT SEQ
    end                     done

Of its own accord it says `drawn OBJECT BLOT INK SEQ` when a blot is drawn, with the last seq that it
has heard of it; INK is `-` where it has no leaf of it. Napkin, message 1: words, and a reference to a blot; state: a list of references to
blots. Blot, message 1: words; state: the ink, and a list of references to blots beside it.
"""

import argparse
import asyncio
import sys

from forms import Frame, text, varint
from leaf import Leaf
from session import connect
from witness import Witness

NAPKIN, BLOT = "foreign.napkin", "foreign.blot"


def tell(*words):
    print(*words, flush=True)


def places(frame, listed):
    """A list of references: the objects that they mean."""
    return frame.list(lambda: listed[frame.number(16)], 65_536)


class Blot(Witness):
    def __init__(self, table, oid):
        super().__init__(table.voice, oid.hex(), table.lines)
        self.table, self.ink = table, "?"

    def joined(self, leaf, start, state, listed):
        super().joined(leaf, start, state, listed)
        if state is not None:
            frame = Frame(state)
            self.ink = frame.text(65_536)
            self.table.take_up(places(frame, listed))
            frame.end()


class Napkin(Witness):
    def __init__(self, table, keeps):
        super().__init__(table.voice, None, table.lines)
        self.table, self.keeps = table, keeps

    def joined(self, leaf, start, state, listed):
        self.name = leaf.oid.hex()
        super().joined(leaf, start, state, listed)
        blots = [] if state is None else places(Frame(state), listed)
        self.table.take_up(blots)
        tell("joined" if state is not None else "made", self.name, *map(self.table.ink, blots))

    def heard(self, leaf, seq, kind, payload, listed):
        super().heard(leaf, seq, kind, payload, listed)
        frame = Frame(payload)
        frame.text(65_536)
        blot = listed[frame.number(16)]
        frame.end()
        if self.keeps:
            self.table.take_up([blot])
        leaf = self.table.session.leaves.get(blot)
        tell("drawn", self.name, blot.hex(), self.table.ink(blot), leaf.heard if leaf else 0)


class Table:
    """All that the program has."""

    def __init__(self, voice):
        self.voice, self.lines, self.session = voice, [], None
        self.napkins, self.kept = {}, set()

    def witness(self, oid, tag):
        return Blot(self, oid) if tag == BLOT else None

    def take_up(self, blots):
        for oid in blots:
            leaf = self.session.leaves.get(oid)
            if leaf and leaf not in self.kept:
                self.kept.add(leaf)
                leaf.users += 1

    def ink(self, oid):
        leaf = self.session.leaves.get(oid)
        return leaf.witness.ink if leaf and leaf.is_taken_in else "-"

    def new_blot(self, ink, beside):
        blot = Leaf(self.session, None, BLOT, None)
        self.session.create(
            blot, None, False, text(ink) + self.references(beside), [leaf.oid for leaf in beside])
        blot.witness = Blot(self, blot.oid)
        blot.witness.ink = ink
        self.kept.add(blot)
        self.opening = asyncio.create_task(blot.opened())
        return blot

    @staticmethod
    def references(listed):
        return varint(len(listed)) + b"".join(varint(place) for place in range(len(listed)))

    # What it is asked for.

    async def open(self, name, keeps=True):
        leaf = self.napkins[name] = Leaf(self.session, None, NAPKIN, Napkin(self, keeps))
        leaf.ask_to_join(b"\0" + text(name), b"\0")
        await leaf.opened()

    async def glance(self, name):
        await self.open(name, keeps=False)

    async def draw(self, napkin, ink, *inks):
        """The Creates go out, those of what lies beside first, and then the shout."""
        blot = self.new_blot(ink, [self.new_blot(each, []) for each in inks])
        tell("drew", blot.oid.hex())
        await self.say_on(napkin, blot.oid)

    async def make(self, name, *blots):
        leaf = self.napkins[name] = Leaf(self.session, None, NAPKIN, Napkin(self, True))
        self.session.create(leaf, name, False, self.references(blots), map(bytes.fromhex, blots))
        await leaf.opened()

    async def pass_(self, napkin, blot):
        oid = bytes.fromhex(blot)
        leaf = self.session.leaves.get(oid)
        if leaf and not leaf.is_parting:
            sys.exit("there is still a leaf of what it did not take up")
        tell("passed", blot)
        await self.say_on(napkin, oid)

    async def say_on(self, napkin, oid):
        leaf = self.napkins[napkin]
        await leaf.witness.say(leaf, oid)

    async def say(self, blot):
        leaf = self.session.leaves[bytes.fromhex(blot)]
        await leaf.witness.say(leaf)
        tell("said", blot)

    async def hear(self, name, seq):
        leaf = self.session.leaves[bytes.fromhex(name)]
        await leaf.has_heard(int(seq))
        tell("heard", name, leaf.heard)

    async def outcomes(self):
        while not self.session.over.done() and self.session.pending_bytes:
            self.session.room.clear()
            await self.session.room.wait()


async def run(arguments):
    table = Table(arguments.voice)
    table.session = await connect(arguments.connect, arguments.voice, table)
    does = {"open": table.open, "glance": table.glance, "draw": table.draw, "make": table.make,
            "pass": table.pass_, "say": table.say, "hear": table.hear}
    loop = asyncio.get_running_loop()
    while (line := (await loop.run_in_executor(None, sys.stdin.readline)).split()) != ["end"]:
        await does[line[0]](*line[1:])
    await table.outcomes()
    await table.session.end()
    with open(arguments.transcript, "w", encoding="utf-8") as transcript:
        transcript.writelines(table.lines)
    tell("done")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for option in "connect", "voice", "transcript":
        parser.add_argument(f"--{option}", required=True)
    asyncio.run(run(parser.parse_args()))
