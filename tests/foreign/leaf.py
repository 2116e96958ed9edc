"""One object as a session has it: its place in the order, its own shouts under way, and what is
held back until the objects that it carries are there."""

import asyncio

from carrying import Gathering
from forms import framed, need, text, varint

JOIN, PART, SHOUT = 17, 18, 24
OF_HUBS = 65_280  # The first kind that is a word of the hub.
CODE_DONE, PROTOCOL = 1, 8
SEQUENCED, NOT_SEQUENCED, GAP = range(3)


class Leaf:
    """Its witness is told joined(leaf, start, state, oids) when the state is taken in (None: there
    is none); heard(leaf, seq, kind, payload, oids) for every shout in order; settled(leaf, op, seq,
    why) once for every op: its seq; or None and why it was refused; or None twice where nobody
    knows; and parted(leaf) when it has been let go."""

    def __init__(self, session, oid, tag, witness, next_op=None):
        self.session, self.oid, self.tag, self.witness = session, oid, tag, witness
        self.interface = text(tag) + varint(1)
        self.answer = asyncio.get_running_loop().create_future()  # Whether it has been joined.
        self.epoch, self.start, self.received, self.heard = None, 0, 0, 0
        self.state, self.is_taken_in, self.is_parting = None, False, False
        # Who needs it: shouts and states that wait for it, and the program.
        self.users = 0
        self.inbox, self.moved = asyncio.Queue(), asyncio.Event()
        # Shouts under way: their frames by op. None is sent between a Rejoin and its answer.
        self.pending, self.pending_bytes, self.next_op = {}, 0, next_op
        self.joins_due, self.is_held, self.has_ended = 0, False, False
        self.hearing, self.answered_part = None, asyncio.get_running_loop().create_future()

    # What the hub says.

    def on_joined(self, oid, epoch, start, next_op, state):
        self.joins_due -= 1
        if not self.answer.done():
            self.oid, self.epoch, self.start = oid, epoch, start
            self.received = self.heard = start
            self.state, self.next_op = state, self.next_op or next_op
            self.answer.set_result(True)
        elif epoch != self.epoch or start > self.received:
            self.session.goodbye(CODE_DONE, 0, "shouts were missed for good")
        if self.is_held and not self.joins_due:
            self.is_held = False
            self.send_again(next_op)

    def on_refused(self, why):
        """With another answer to come, that one counts."""
        self.joins_due -= 1
        if not self.joins_due or self.is_parting:
            self.end(why)

    def on_batch(self, epoch, seq, shouts):
        if not self.answer.done():
            return  # Of the leaf that was here before, which has parted.
        ok = epoch == self.epoch and seq <= self.received + 1
        need(ok, "a seq left out", PROTOCOL)
        for seq, (session, op, kind, listed, payload) in enumerate(shouts, seq):
            if seq > self.received and not self.is_parting:
                self.received = seq
                gathering = Gathering(self.session, listed) if listed else None
                self.inbox.put_nowait((seq, kind, payload, gathering))
            if session == self.session.id:
                self.settle(op, seq)

    def on_outcome(self, op, verdict, seq, count, why):
        if verdict == GAP:
            if op in self.pending and not self.is_held:
                self.send_again(op)
            return
        for each in [each for each in self.pending if op <= each < op + count]:
            self.settle(each, None if seq is None else seq + each - op, why)

    def on_rejoin(self):
        self.is_held = True
        known = self.epoch is not None
        cursor = b"\1" + self.epoch + varint(self.received) if known else b"\0"
        self.ask_to_join(b"\1" + self.oid, cursor)

    def end(self, why):
        """It is no leaf any more: refused, ended, parted, or the session is over."""
        if self.session.leaves.get(self.oid) is self:
            del self.session.leaves[self.oid]
            self.session.hear_of(self.oid, self.tag, self.heard)
        self.has_ended = True
        for waiting in self.answer, self.answered_part:
            if not waiting.done():
                waiting.set_result(False)
        for op in list(self.pending):
            self.settle(op, None, why)
        self.has_moved()
        self.inbox.put_nowait(None)
        if self.is_parting and not self.is_taken_in:
            self.hearing = asyncio.create_task(self.hear())

    # Hearing.

    def take_in(self):
        """Its state, once leaves are there of all that the state lists; then it hears."""
        is_joined = self.answer.done() and self.answer.result()
        if is_joined and not self.is_taken_in and not self.is_parting:
            self.is_taken_in = True
            state, listed = self.state or (None, [])
            self.witness.joined(self, self.start, state, [oid for oid, _, _ in listed])
            self.hearing = asyncio.create_task(self.hear())
            self.has_moved()

    async def hear(self):
        """One behind the other, to the end; behind a Part nothing is heard, only let go."""
        while shout := await self.inbox.get():
            seq, kind, payload, gathering = shout
            if gathering and not self.is_parting:
                await gathering.hold()
            if not self.is_parting:
                self.heard = seq
                listed = gathering.listed if gathering else []
                if kind < OF_HUBS:
                    self.witness.heard(self, seq, kind, payload, [oid for oid, _, _ in listed])
            if gathering:
                gathering.release()
            self.has_moved()

    def has_moved(self):
        moved, self.moved = self.moved, asyncio.Event()
        moved.set()

    async def has_heard(self, seq):
        while not self.has_ended and not (self.is_taken_in and self.heard >= seq):
            await self.moved.wait()

    # What one does with it.

    def ask_to_join(self, target, cursor):
        self.joins_due += 1
        self.session.ask(self, JOIN, target, self.interface, cursor, b"\0")

    async def opened(self):
        """The program takes it up. Waits until the state is taken in; false: it was refused."""
        self.users += 1
        if not await self.answer:
            return False
        gathering = Gathering(self.session, self.state[1] if self.state else [])
        await gathering.made()
        self.take_in()
        gathering.release()
        return True

    def release(self):
        """One needs it less. A leaf that nobody needs is parted."""
        self.users -= 1
        if self.users == 0 and not self.is_parting and not self.has_ended:
            self.is_parting = True
            self.session.ask(self, PART, self.oid)
            if self.is_taken_in:
                self.witness.parted(self)

    async def shout(self, kind, payload, oids=()):
        """Waits until the window has room; what becomes of the op is told to the witness."""
        op, listed = self.next_op, self.session.carried(oids)
        frame = framed(
            SHOUT, self.oid, varint(op), varint(kind), b"\0\0", listed, payload)
        while not self.session.over.done() and not self.has_room(len(frame)):
            self.session.room.clear()
            await self.session.room.wait()
        self.next_op += 1
        self.pending[op] = frame
        self.count_bytes(len(frame))
        if not self.is_held:
            self.session.send(frame)

    def has_room(self, more):
        session = self.session
        return (len(self.pending) < session.window_shouts
                and self.pending_bytes + more <= session.window_bytes
                and session.pending_bytes + more <= session.window_total)

    def count_bytes(self, more):
        self.pending_bytes += more
        self.session.pending_bytes += more

    def send_again(self, first):
        for op in sorted(self.pending):
            if op >= first:
                self.session.send(self.pending[op])

    def settle(self, op, seq, why=None):
        frame = self.pending.pop(op, None)
        if frame is not None:
            self.count_bytes(-len(frame))
            self.session.room.set()
            self.witness.settled(self, op, seq, why)
