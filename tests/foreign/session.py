"""A connection to a hub, and the session that it is: handshake, heartbeats, requests, and the
leaves, each of which is handed what comes about its object."""

import asyncio
import os
import sys

from forms import Fault, Frame, data, framed, need, text, varint
from leaf import Leaf

HELLO, WELCOME, GOODBYE, HEARTBEAT, STATE_PIECE = 1, 2, 3, 4, 5
CREATE, JOIN, PART, LAST_OF_A_CLIENT = 16, 17, 18, 27
JOINED, DONE, REFUSED, BATCH, OUTCOME, REJOIN, ENDED, WANTED = 32, 34, 35, 38, 39, 40, 41, 42
VOLATILE, HEARD, VOLATILE_HEARD = 29, 30, 44
ASK, REPLY = 50, 52
VIA, STALLED = 54, 70  # The first of what only links say, and what is behind it.
PAYLOAD, PIECES = 1, 2  # Where a state is.
CODE_DONE, SILENT, PROTOCOL, TIMEOUT = 1, 6, 8, 13
# What a refusal brings: Interface two interfaces, NameTaken and HasName a name, Exists an id,
# CarriedBelowHome two.
REASON, NUMBER, NAME = (lambda f: f.text(1_024)), (lambda f: f.number(32)), Frame.name
INTERFACE = (lambda f: (f.name(64), f.number(16, 1)))
OBJECT = (lambda f: f.take(16))
REFUSALS = ([], [INTERFACE, INTERFACE], [NAME], [NAME], [OBJECT], [REASON],
            [NUMBER], [REASON, NUMBER], [REASON], [], [], [], [OBJECT, OBJECT])


class Session(asyncio.Protocol):
    """`program.witness(oid, tag)` gives whom a leaf tells what happens, or None where nothing is
    known of such a tag; see `Leaf`."""

    def __init__(self, agent, program):
        loop = asyncio.get_running_loop()
        self.agent, self.program, self.unread = agent, program, bytearray()
        self.welcomed, self.over, self.closed = (loop.create_future() for _ in range(3))
        self.id = None
        # By object: the leaves from asking to parted; and tag and seq of what was heard of.
        self.leaves, self.heard_of = {}, {}
        self.requests, self.request = {}, 0
        self.pieces = {}  # The state that is on its way, by object: its bytes, and those that came.
        self.room, self.pending_bytes = asyncio.Event(), 0

    # Bytes come and go.

    def connection_made(self, transport):
        self.transport = transport
        self.sent_at = self.read_at = asyncio.get_running_loop().time()
        hello = b"MPLX", varint(1), varint(1), text(self.agent), data(b""), b"\0"
        # No name and no info, and nothing of later versions.
        self.send(framed(HELLO, *hello, text(""), data(b""), b"\0"))

    def connection_lost(self, _):
        self.finish("the connection was lost")
        self.closed.set_result(None)

    def data_received(self, raw):
        self.read_at = asyncio.get_running_loop().time()
        self.unread += raw
        try:
            # Behind a Goodbye no meaning is read into what comes.
            while not self.over.done() and (frame := self.next_frame()):
                self.take(frame[0], Frame(frame[1:]))
        except Fault as fault:
            self.goodbye(fault.args[0], 2, fault.args[1])

    def next_frame(self):
        if len(self.unread) >= 4:
            end = 4 + int.from_bytes(self.unread[:4], "little")
            need(5 <= end <= 65_540, "the length of a frame")
            if len(self.unread) >= end:
                frame = bytes(self.unread[4:end])
                del self.unread[:end]
                return frame
        return None

    def send(self, frame):
        if not self.over.done():
            self.sent_at = asyncio.get_running_loop().time()
            self.transport.write(frame)

    def goodbye(self, code, fault, reason):
        """The last frame. The stream ends behind it; the hub ends its own, or is not waited for."""
        self.send(framed(GOODBYE, varint(code), varint(fault), text(reason)))
        self.finish(reason)
        if self.transport.can_write_eof() and not self.transport.is_closing():
            self.transport.write_eof()
        asyncio.get_running_loop().call_later(5, self.transport.abort)

    def finish(self, why):
        if not self.over.done():
            self.over.set_result(why)
            for leaf in list(self.leaves.values()):
                leaf.end(None)
            if not self.welcomed.done():
                self.welcomed.set_exception(ConnectionError(why))
                self.welcomed.exception()  # Nobody may be waiting.
            self.room.set()

    async def beat(self):
        """Says that it is there, and judges whether the hub is."""
        while not self.over.done():
            now = asyncio.get_running_loop().time()
            if now >= self.read_at + self.silence:
                self.goodbye(SILENT, 2, "silent")
            elif now >= self.sent_at + self.heartbeat:
                self.send(framed(HEARTBEAT))
            else:
                due = min(self.sent_at + self.heartbeat, self.read_at + self.silence)
                await asyncio.sleep(due - now + 0.001)

    # Frames of the hub. Each is read to its end before anything of it is done.

    def take(self, kind, frame):
        takes = {
            WELCOME: self.on_welcome, GOODBYE: self.on_goodbye, HEARTBEAT: Frame.end,
            STATE_PIECE: self.on_state_piece,
            JOINED: self.on_joined, DONE: self.on_done, REFUSED: self.on_refused,
            BATCH: self.on_batch, OUTCOME: self.on_outcome, REJOIN: self.on_rejoin,
            ENDED: self.on_ended, WANTED: self.on_wanted,
            VOLATILE_HEARD: self.on_volatile_heard, STALLED: self.on_stalled}
        last = LAST_OF_A_CLIENT
        is_for_hubs = kind in (
            HELLO, VOLATILE, HEARD, ASK, REPLY, *range(CREATE, last + 1), *range(VIA, STALLED))
        need(not is_for_hubs, "a frame for hubs", PROTOCOL)
        # This client asks for nothing that would be answered by other frames.
        need(kind in takes, f"a frame of type {kind}")
        takes[kind](frame)

    def in_turn(self, is_welcomed=True):
        need((self.id is not None) == is_welcomed, "a frame that comes not now", PROTOCOL)

    def on_welcome(self, frame):
        version, _hub, session, _key = frame.number(16), *(frame.take(16) for _ in range(3))
        _resumed, limits = frame.bool(), [frame.number(32) for _ in range(7)]
        frame.list(lambda: (frame.number(16), frame.data(1_024)), 16)
        frame.end()
        _, self.window_shouts, self.window_bytes, self.window_total, *times, _ = limits
        need(1 <= times[0] < times[1], "no time for heartbeats")
        self.in_turn(is_welcomed=False)
        need(version == 1, "a version that was not offered", PROTOCOL)
        self.id, (self.heartbeat, self.silence) = session, (each / 1e3 for each in times)
        self.beating = asyncio.create_task(self.beat())
        self.welcomed.set_result(None)

    def on_goodbye(self, frame):
        code, fault, reason = frame.number(16), frame.choice(3), frame.text(1_024)
        frame.end()
        self.finish(f"the hub says goodbye: {code} {fault} {reason}")
        self.transport.close()

    def on_joined(self, frame):
        request, oid, _name = frame.number(32), frame.take(16), frame.option(frame.name)
        epoch, start, last = frame.take(8), frame.number(64), frame.number(64)
        state_is = frame.choice(3)
        frame.option(lambda: (frame.choice(2), frame.number(64), frame.number(64)))
        next_op, _owner = frame.number(64, 1), frame.option(lambda: frame.take(16))
        frame.bool()  # Whether it is stale: a Rejoin comes then.
        listed, state = frame.carried(), frame.rest()
        need(start <= last and (state_is or not listed), "what cannot be")
        need(state_is == PAYLOAD or not state, "a state that is elsewhere")
        leaf = self.answered(request, CREATE, JOIN)
        need(leaf.oid in (oid, None), "another object", PROTOCOL)
        self.leaves[oid] = leaf
        if state_is == PIECES:
            of, state = self.pieces.pop(oid, (None, b""))
            need(of == len(state), "a state without all its pieces", PROTOCOL)
        leaf.on_joined(oid, epoch, start, next_op, (state, listed) if state_is else None)

    def on_state_piece(self, frame):
        oid, at, of, piece = frame.take(16), frame.number(32), frame.number(32), frame.rest()
        need(piece and at + len(piece) <= of <= 1_048_576, "a piece of nothing")
        self.in_turn()
        if at == 0:
            self.pieces = {oid: (of, b"")}
        so_far = self.pieces.get(oid)
        need(so_far and so_far[0] == of and len(so_far[1]) == at, "a piece too many", PROTOCOL)
        self.pieces[oid] = of, so_far[1] + piece

    def on_done(self, frame):
        request = frame.number(32)
        frame.end()
        self.answered(request, PART).end(None)

    def on_refused(self, frame):
        request, refusal = frame.number(32), frame.choice(13)
        said = [read(frame) for read in REFUSALS[refusal]]
        frame.end()
        self.answered(request, CREATE, JOIN, PART).on_refused(f"refused: {refusal} {said}")

    def on_batch(self, frame):
        oid, epoch, seq, _ms = frame.take(16), frame.take(8), frame.number(64, 1), frame.number(64)
        sessions = frame.list(lambda: (frame.take(16), frame.number(64, 1)), 512)
        shouts = []
        for _ in range(frame.number(16, 1)):
            index, add, kind = frame.number(16), frame.number(64), frame.number(16)
            need(index < len(sessions), "no such session")
            session, first_op = sessions[index]
            need((first_op + add) >> 64 == 0, "an op too large")
            row = frame.choice(4)  # Bit 1 asks who has handled it.
            listed = frame.carried(1) if row & 1 else []
            shouts.append((session, first_op + add, kind, listed, frame.data()))
        frame.end()
        need((seq + len(shouts)) >> 64 == 0, "a seq too large")
        if leaf := self.leaf_of(oid):
            leaf.on_batch(epoch, seq, shouts)

    def on_outcome(self, frame):
        oid, op, verdict = frame.take(16), frame.number(64, 1), frame.choice(3)
        seq, count = (frame.number(64, 1), frame.number(32, 1)) if verdict == 0 else (None, 1)
        why = frame.text(1_024) if verdict == 1 else None
        frame.end()
        need((op + count) >> 64 == 0 and ((seq or 0) + count) >> 64 == 0, "numbers too large")
        if leaf := self.leaf_of(oid):
            leaf.on_outcome(op, verdict, seq, count, why)

    def on_rejoin(self, frame):
        oid = frame.take(16)
        frame.end()
        if (leaf := self.leaf_of(oid)) and not leaf.is_parting:
            leaf.on_rejoin()

    def on_ended(self, frame):
        oid, reason = frame.take(16), frame.choice(3)
        why = frame.text(1_024) if reason == 0 else f"the object is no more: {reason}"
        frame.end()
        if leaf := self.leaf_of(oid):
            leaf.end(why)

    def on_volatile_heard(self, frame):
        """What may be lost is lost here."""
        frame.take(32), frame.number(64), frame.number(16), frame.rest()
        self.in_turn()

    def on_wanted(self, frame):
        """A hub that is told no newer state does without."""
        frame.take(16)
        frame.end()
        self.in_turn()

    def on_stalled(self, frame):
        """What is shouted all the same is dropped, and sent again after the Rejoin that comes."""
        frame.take(16)
        frame.end()
        self.in_turn()

    def leaf_of(self, oid):
        self.in_turn()
        return self.leaves.get(oid)

    # What one does with it.

    def ask(self, leaf, kind, *parts):
        self.request += 1
        self.requests[self.request] = kind, leaf
        self.send(framed(kind, varint(self.request), *parts))

    def answered(self, request, *kinds):
        kind, leaf = self.requests.pop(request, (None, None))
        need(kind in kinds, "an answer to no request", PROTOCOL)
        return leaf

    def create(self, leaf, name, or_join, state=None, listed=()):
        """Asks for a new object, without waiting for the answer: it may be shouted at, and carried,
        at once."""
        oid, leaf.joins_due = os.urandom(16), 1
        if not or_join:
            leaf.oid, leaf.next_op = oid, 1
            self.leaves[oid] = leaf
        name = b"\0" if name is None else b"\1" + text(name)
        # The codec; a state or none; no presence; no handover, no asks and no answers.
        flags = bytes([1, state is not None, 0, 0, 0, 0])
        # At home here or above, as the hub would have it.
        what = name, bytes([or_join, 0]), leaf.interface, flags, self.carried(listed), state or b""
        self.ask(leaf, CREATE, oid, *what)

    def join(self, oid, tag, witness):
        leaf = self.leaves[oid] = Leaf(self, oid, tag, witness)
        leaf.ask_to_join(b"\1" + oid, b"\0")
        return leaf

    def carried(self, oids):
        """The list of these objects, each with what the session has heard of it."""
        entries = [oid + self.reference(oid) for oid in oids]
        return varint(len(entries)) + b"".join(entries)

    def reference(self, oid):
        if leaf := self.leaves.get(oid):
            self.hear_of(oid, leaf.tag, leaf.heard)
        tag, seq = self.heard_of[oid]
        return text(tag) + varint(seq)

    def hear_of(self, oid, tag, seq):
        _, before = self.heard_of.get(oid, (tag, 0))
        self.heard_of[oid] = tag, max(seq, before)

    async def end(self):
        """There is nothing more to say; an error, if it was over before."""
        if self.over.done():
            sys.exit(f"it was over too early: {self.over.result()}")
        self.goodbye(CODE_DONE, 0, "")
        await self.closed


async def connect(address, agent, program):
    host, _, port = address.removeprefix("tcp://").rpartition(":")
    _, session = await asyncio.get_running_loop().create_connection(
        lambda: Session(agent, program), host.strip("[]"), int(port))
    try:
        await asyncio.wait_for(asyncio.shield(session.welcomed), 15)
    except TimeoutError:
        session.goodbye(TIMEOUT, 2, "no Welcome came")
        await session.welcomed
    return session
