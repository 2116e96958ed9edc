"""A client of the protocol, version 1, written from docs/protocol.md alone.

It shares no code with the library: what it and the library's own clients agree on is what the
document says. Needs Python 3.11, standard library only. Run by tests/it/foreign.rs as

    python3 client.py --connect tcp://HOST:PORT --tag TAG --object NAME --voice NAME
                      --count SHOUTS --expect SHOUTS --transcript FILE [--late]

it creates or joins an object without state (--late: joins one that is there, with or without),
prints `joined` and the state in hexadecimal, waits for a line, shouts, hears what it expects,
writes down what it said and heard (the form: src/testing/transcript.rs), and prints `done`.
"""

import argparse
import asyncio
import os
import sys

from forms import Fault, Frame, data, framed, need, text, varint

HELLO, WELCOME, GOODBYE, HEARTBEAT = 1, 2, 3, 4
CREATE, JOIN, SHOUT, SNAPSHOT = 16, 17, 24, 27
JOINED, REFUSED, BATCH, OUTCOME, REJOIN, ENDED, WANTED = 32, 35, 38, 39, 40, 41, 42
SEQUENCED, NOT_SEQUENCED, GAP = range(3)
DONE, SILENT, PROTOCOL, TIMEOUT = 1, 6, 8, 13


class Client(asyncio.Protocol):
    """A session that is a leaf of one object. The witness is told at once of what happens:
    joined(start, state); heard(seq, payload) for every shout in order; settled(op, seq, why) once
    for every op: its seq; or None and why it was refused; or None twice where nobody knows."""

    def __init__(self, agent, witness):
        loop = asyncio.get_running_loop()
        self.witness = witness
        self.welcomed, self.joined, self.over = (loop.create_future() for _ in range(3))
        self.closed = loop.create_future()
        self.room, self.agent, self.unread = asyncio.Event(), agent, bytearray()
        self.session = self.object = None
        self.requests, self.request = set(), 0
        # Shouts under way: their frames by op. None is sent between a Rejoin and its answer.
        self.pending, self.pending_bytes, self.next_op, self.held = {}, 0, 1, False

    # Bytes come and go.

    def connection_made(self, transport):
        self.transport = transport
        self.sent_at = self.read_at = asyncio.get_running_loop().time()
        hello = b"MPLX", varint(1), varint(1), text(self.agent), data(b""), b"\0", b"\0"
        self.send(framed(HELLO, *hello))

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
            for op in list(self.pending):
                self.settle(op, None)
            for waiting in self.welcomed, self.joined:
                if not waiting.done():
                    waiting.set_exception(ConnectionError(why))
                    waiting.exception()  # Nobody may be waiting.
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
            JOINED: self.on_joined, REFUSED: self.on_refused, BATCH: self.on_batch,
            OUTCOME: self.on_outcome, REJOIN: self.on_rejoin, ENDED: self.on_ended,
            WANTED: self.on_snapshot_wanted}
        need(kind != HELLO and kind not in range(CREATE, SNAPSHOT + 1), "a frame for hubs", PROTOCOL)
        # This client asks for nothing that would be answered by other frames.
        need(kind in takes, f"a frame of type {kind}")
        takes[kind](frame)

    def in_turn(self, is_welcomed=True):
        need((self.session is not None) == is_welcomed, "a frame that comes not now", PROTOCOL)

    def on_welcome(self, frame):
        version, _hub, session, _key = frame.number(16), *(frame.take(16) for _ in range(3))
        _resumed, limits = frame.bool(), [frame.number(32) for _ in range(7)]
        frame.list(lambda: (frame.number(16), frame.data(1_024)), 16)
        frame.end()
        _, self.window_shouts, *bytes_max, heartbeat_ms, silence_ms, _ = limits
        self.window_bytes = min(bytes_max)  # At one object, and in all: here it is one.
        need(1 <= heartbeat_ms < silence_ms, "no time for heartbeats")
        self.in_turn(is_welcomed=False)
        need(version == 1, "a version that was not offered", PROTOCOL)
        self.session, self.heartbeat, self.silence = session, heartbeat_ms / 1e3, silence_ms / 1e3
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
        restore = frame.bool()
        frame.option(lambda: (frame.choice(2), frame.number(64), frame.number(64)))
        next_op, carried, state = frame.number(64, 1), frame.carried(), frame.rest()
        need(start <= last and (restore or not (carried or state)), "what cannot be")
        self.answered(request)
        self.object, self.epoch, self.cursor = oid, epoch, start
        if self.joined.done():
            # After a Rejoin; with another one before this answer, another answer is to come.
            self.held = bool(self.requests)
            if not self.held:
                self.send_again(next_op)
        else:
            self.next_op = next_op
            self.witness.joined(start, state)
            self.joined.set_result(None)

    def on_refused(self, frame):
        request, refusal = frame.number(32), frame.choice(11)
        self.answered(request)
        # It needs all that it asks for. What a refusal says it passes on as it stands.
        self.goodbye(DONE, 0, f"refused: {refusal} {frame.rest()}")

    def on_batch(self, frame):
        oid, epoch, seq, _ms = frame.take(16), frame.take(8), frame.number(64, 1), frame.number(64)
        sessions = frame.list(lambda: (frame.take(16), frame.number(64, 1)), 512)
        shouts = []
        for _ in range(frame.number(16, 1)):
            index, add, _kind = frame.number(16), frame.number(64), frame.number(16)
            need(index < len(sessions), "no such session")
            session, first_op = sessions[index]
            need((first_op + add) >> 64 == 0, "an op too large")
            frame.option(lambda: frame.carried(1))
            shouts.append((session, first_op + add, frame.data()))
        frame.end()
        need((seq + len(shouts)) >> 64 == 0, "a seq too large")
        self.in_turn()
        if oid != self.object:
            return
        need(epoch == self.epoch and seq <= self.cursor + 1, "a seq left out", PROTOCOL)
        for seq, (session, op, payload) in enumerate(shouts, seq):
            if seq > self.cursor:
                self.cursor = seq
                self.witness.heard(seq, payload)
            if session == self.session:
                self.settle(op, seq)

    def on_outcome(self, frame):
        oid, op, verdict = frame.take(16), frame.number(64, 1), frame.choice(3)
        sequenced = verdict == SEQUENCED
        seq, count = (frame.number(64, 1), frame.number(32, 1)) if sequenced else (0, 1)
        why = frame.text(1_024) if verdict == NOT_SEQUENCED else None
        frame.end()
        need((op + count) >> 64 == 0 and (seq + count) >> 64 == 0, "numbers too large")
        self.in_turn()
        if oid != self.object:
            return
        if verdict == GAP:
            if op in self.pending and not self.held:
                self.send_again(op)
            return
        for each in [each for each in self.pending if op <= each < op + count]:
            self.settle(each, seq + each - op if sequenced else None, why)

    def on_rejoin(self, frame):
        oid = frame.take(16)
        frame.end()
        self.in_turn()
        if oid == self.object:
            self.held = True
            self.ask_to_join(b"\1" + oid, b"\1" + self.epoch + varint(self.cursor))

    def on_ended(self, frame):
        oid, _, reason = frame.take(16), frame.choice(1), frame.text(1_024)
        frame.end()
        self.in_turn()
        if oid == self.object:
            self.goodbye(DONE, 0, f"the object is no more: {reason}")

    def on_snapshot_wanted(self, frame):
        # It has no idea of the state: another leaf may tell it.
        frame.take(16)
        frame.end()
        self.in_turn()

    # What one does with it.

    def ask(self, kind, *parts):
        self.request += 1
        self.requests.add(self.request)
        self.send(framed(kind, varint(self.request), *parts))

    def answered(self, request):
        need(request in self.requests, "an answer to no request", PROTOCOL)
        self.requests.remove(request)

    def ask_to_join(self, target, cursor):
        self.ask(JOIN, target, self.interface, cursor, b"\0")

    async def open(self, name, tag, late):
        """Makes an object without state, or joins the one of that name; `late`: only joins it."""
        self.interface = text(tag) + varint(1)
        if late:
            self.ask_to_join(b"\0" + text(name), b"\0")
        else:
            what = b"\1" + text(name) + b"\1" + self.interface + b"\1"
            self.ask(CREATE, os.urandom(16), what, b"\0\0\0")
        await self.joined

    async def shout(self, kind, payload):
        """Waits until the window has room; what becomes of the op is told to `settled`."""
        op, rest = self.next_op, varint(kind) + b"\0\0\0" + payload
        frame = framed(SHOUT, self.object, varint(op), rest)
        while not self.over.done() and (
                len(self.pending) >= self.window_shouts
                or self.pending_bytes + len(frame) > self.window_bytes):
            self.room.clear()
            await self.room.wait()
        self.next_op += 1
        self.pending[op] = frame
        self.pending_bytes += len(frame)
        if not self.held:
            self.send(frame)

    def send_again(self, first):
        for op in sorted(self.pending):
            if op >= first:
                self.send(self.pending[op])

    def settle(self, op, seq, why=None):
        frame = self.pending.pop(op, None)
        if frame is not None:
            self.pending_bytes -= len(frame)
            self.room.set()
            self.witness.settled(op, seq, why)


class Witness:
    """Writes down what is said and heard, one event a line."""

    def __init__(self, voice, name, expected, unsettled):
        self.voice, self.name, self.lines = voice, name, []
        # Shouts to be heard, and outcomes to be known, before all is over.
        self.expected, self.unsettled = expected, unsettled
        self.all_is_over = asyncio.Event()

    def note(self, event, *fields):
        self.lines.append("\t".join([event, self.voice, self.name, *map(str, fields)]) + "\n")

    def joined(self, start, state):
        self.note("joined", start)
        print("joined", state.hex(), flush=True)

    def heard(self, seq, payload):
        frame = Frame(payload)
        said = frame.text(65_536)
        frame.end()
        self.note("heard", seq, said.partition(":")[0], said)
        self.expected -= 1
        self.look_whether_all_is_over()

    def settled(self, op, seq, why):
        if seq is not None:
            self.note("receipted", op, seq)
        elif why is not None:
            self.note("lost", op, why)
        else:
            self.note("unknown", op)
        self.unsettled -= 1
        self.look_whether_all_is_over()

    def look_whether_all_is_over(self):
        if self.expected <= 0 and self.unsettled <= 0:
            self.all_is_over.set()


async def run(arguments):
    voice, count = arguments.voice, arguments.count
    witness = Witness(voice, arguments.object, arguments.expect, count)
    host, _, port = arguments.connect.removeprefix("tcp://").rpartition(":")
    loop = asyncio.get_running_loop()
    _, client = await loop.create_connection(
        lambda: Client(voice, witness), host.strip("[]"), int(port))
    client.over.add_done_callback(lambda _: witness.all_is_over.set())
    try:
        await asyncio.wait_for(asyncio.shield(client.welcomed), 15)
    except TimeoutError:
        client.goodbye(TIMEOUT, 2, "no Welcome came")
    await client.open(arguments.object, arguments.tag, arguments.late)
    await loop.run_in_executor(None, sys.stdin.readline)
    for op in range(client.next_op, client.next_op + count):
        witness.note("said", op, f"{voice}:{op}")
        await client.shout(1, text(f"{voice}:{op}"))
    await witness.all_is_over.wait()
    if client.over.done():
        sys.exit(f"it was over too early: {client.over.result()}")
    client.goodbye(DONE, 0, "")
    await client.closed
    with open(arguments.transcript, "w", encoding="utf-8") as transcript:
        transcript.writelines(witness.lines)
    print("done", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for option in "connect", "tag", "object", "voice", "transcript":
        parser.add_argument(f"--{option}", required=True)
    for option in "count", "expect":
        parser.add_argument(f"--{option}", required=True, type=int)
    parser.add_argument("--late", action="store_true")
    asyncio.run(run(parser.parse_args()))
