"""What is waited for before a shout is heard, or a state taken in, that lists objects."""

import asyncio

PATIENCE_S = 5
OBJECTS_MAX = 1_024


class Gathering:
    """The leaves that one shout or state needs. It begins when that comes, and so does its time."""

    def __init__(self, session, listed):
        self.session, self.listed = session, listed
        self.leaves, self.seen = [], set()
        self.until = asyncio.get_running_loop().time() + PATIENCE_S
        self.joining = asyncio.create_task(self.join())

    async def hold(self):
        """Until the shout can be heard."""
        await self.made()
        await self.patiently(asyncio.create_task(self.hear()))

    async def made(self):
        """Until there are leaves of all; then those that are new take in their states."""
        await self.patiently(self.joining)
        for leaf in self.leaves:
            leaf.take_in()

    def release(self):
        """The shout was heard. What the program did not take up meanwhile is parted."""
        self.joining.cancel()
        for leaf in self.leaves:
            leaf.release()

    async def join(self):
        """Leaves of these, of what their states list, and so on."""
        wave = self.listed
        while wave:
            leaves = [leaf for entry in wave if (leaf := await self.leaf_of(*entry))]
            wave = []
            for leaf in leaves:
                if await asyncio.shield(leaf.answer) and leaf.state and not leaf.is_taken_in:
                    wave += leaf.state[1]

    async def leaf_of(self, oid, tag, seq):
        if oid in self.seen or len(self.seen) == OBJECTS_MAX:
            return None
        self.seen.add(oid)
        if (leaf := self.session.leaves.get(oid)) and leaf.is_parting:
            await asyncio.shield(leaf.answered_part)
        leaf = self.session.leaves.get(oid) or self.new_leaf(oid, tag, seq)
        if leaf:
            leaf.users += 1
            self.leaves.append(leaf)
        return leaf

    def new_leaf(self, oid, tag, seq):
        self.session.hear_of(oid, tag, seq)
        witness = self.session.program.witness(oid, tag)
        return witness and self.session.join(oid, tag, witness)

    async def hear(self):
        for oid, _, seq in self.listed:
            if leaf := self.session.leaves.get(oid):
                await leaf.has_heard(seq)

    async def patiently(self, doing):
        """Waits for it, but for as long as there is time, and a connection."""
        timeout = max(0, self.until - asyncio.get_running_loop().time())
        await asyncio.wait(
            {doing, self.session.over}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            doing.result()
        doing.cancel()
