"""A client of the protocol, version 1, written from docs/protocol.md alone.

It shares no code with the library: what it and the library's own clients agree on is what the
document says. Needs Python 3.11, standard library only. Run by tests/it/foreign.rs as

    python3 client.py --connect tcp://HOST:PORT --tag TAG --object NAME --voice NAME
                      --count SHOUTS --expect SHOUTS --transcript FILE [--late]

it creates or joins an object without state (--late: joins one that is there, with or without),
prints `joined` and the state in hexadecimal, waits for a line, shouts, hears what it expects,
writes down what it said and heard, and prints `done`.
"""

import argparse
import asyncio
import sys

from forms import text
from leaf import Leaf
from session import connect
from witness import Witness


class Counter(Witness):
    """Knows when so many shouts are heard and so many outcomes are known."""

    def __init__(self, voice, name, lines, expected, unsettled):
        super().__init__(voice, name, lines)
        self.expected, self.unsettled = expected, unsettled
        self.all_is_over = asyncio.Event()

    def joined(self, leaf, start, state, listed):
        super().joined(leaf, start, state, listed)
        print("joined", (state or b"").hex(), flush=True)

    def heard(self, leaf, seq, kind, payload, listed):
        super().heard(leaf, seq, kind, payload, listed)
        self.expected -= 1
        self.look_whether_all_is_over()

    def settled(self, leaf, op, seq, why):
        super().settled(leaf, op, seq, why)
        self.unsettled -= 1
        self.look_whether_all_is_over()

    def look_whether_all_is_over(self):
        if self.expected <= 0 and self.unsettled <= 0:
            self.all_is_over.set()

    def witness(self, _oid, _tag):
        """It knows of no objects but its own."""
        return None


async def run(arguments):
    voice, lines = arguments.voice, []
    program = Counter(voice, arguments.object, lines, arguments.expect, arguments.count)
    session = await connect(arguments.connect, voice, program)
    session.over.add_done_callback(lambda _: program.all_is_over.set())
    leaf = Leaf(session, None, arguments.tag, program)
    if arguments.late:
        leaf.ask_to_join(b"\0" + text(arguments.object), b"\0")
    else:
        session.create(leaf, arguments.object, True)
    if not await leaf.opened():
        sys.exit("it is not let in")
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    for _ in range(arguments.count):
        await program.say(leaf)
    await program.all_is_over.wait()
    await session.end()
    with open(arguments.transcript, "w", encoding="utf-8") as transcript:
        transcript.writelines(lines)
    print("done", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for option in "connect", "tag", "object", "voice", "transcript":
        parser.add_argument(f"--{option}", required=True)
    for option in "count", "expect":
        parser.add_argument(f"--{option}", required=True, type=int)
    parser.add_argument("--late", action="store_true")
    asyncio.run(run(parser.parse_args()))
