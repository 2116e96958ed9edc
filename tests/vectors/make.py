#!/usr/bin/env python3
"""Writes the golden vectors of the wire, version 1, from the rules of docs/protocol.md alone.

    python3 tests/vectors/make.py            writes every vector, and removes those no longer made
    python3 tests/vectors/make.py --check    compares them with what is there

Each vector is a NAME.json (what a frame says) beside a NAME.hex (its bytes, with the length). This
program shares no code with the library, so that tests/it/vectors.rs compares two encoders. Needs
Python 3.11, standard library only. The vectors are in `well_formed.py`, `malformed.py`,
and, of what hubs say over links, `links.py` and `malformed_links.py` here.
"""

import json
import pathlib
import sys

HERE = pathlib.Path(__file__).parent


# Forms: each takes a value as it stands in the JSON and returns bytes.

def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def unsigned(bits):
    def write(value):
        assert 0 <= value < 1 << bits, value
        return varint(value)
    return write


def byte(value):
    return bytes([value])


def boolean(value):
    return {False: b"\0", True: b"\1"}[value]


def fixed(length):
    def write(value):
        raw = bytes.fromhex(value)
        assert len(raw) == length, value
        return raw
    return write


def data(value):
    raw = bytes.fromhex(value)
    return varint(len(raw)) + raw


def text(value):
    raw = value.encode()
    return varint(len(raw)) + raw


def option(form):
    return lambda value: b"\0" if value is None else b"\1" + form(value)


def listed(form):
    return lambda items: varint(len(items)) + b"".join(form(item) for item in items)


def struct(**fields):
    def write(value):
        assert list(value) == list(fields), (list(value), list(fields))
        return b"".join(form(value[name]) for name, form in fields.items())
    return write


def choice(*variants):
    """Variants in the order of their numbers, each a name, or a name with the form behind it."""
    names = [each if isinstance(each, str) else each[0] for each in variants]

    def write(value):
        if isinstance(value, str):
            assert value in variants, value
            return varint(names.index(value))
        (name, inner), = value.items()
        number = names.index(name)
        return varint(number) + variants[number][1](inner)
    return write


u16, u32, u64 = unsigned(16), unsigned(32), unsigned(64)
id16, id8 = fixed(16), fixed(8)

interface_id = struct(tag=text, version=u16)
cursor = struct(epoch=id8, seq=u64)
carried = struct(object=id16, tag=text, seq=u64)
extra = struct(number=u16, value=data)
entry = struct(name=text, object=id16, interface=interface_id)
target = choice(("Name", text), ("Object", id16))
limits = struct(
    frame_bytes_max=u32, window_shouts=u32, window_bytes=u32, window_total_bytes=u32,
    heartbeat_ms=u32, silence_ms=u32, grace_ms=u32)
resync = struct(reason=choice("Missed", "Epoch"), **{"from": u64, "to": u64})
refusal = choice(
    "Unknown",
    ("Interface", struct(wanted=interface_id, there=interface_id)),
    ("NameTaken", text),
    ("HasName", text),
    ("Exists", id16),
    ("Denied", text),
    ("Late", struct(ms=u32)),
    ("Limit", struct(what=text, max=u32)),
    ("Failed", text),
    "NotJoined",
    "Stopping",
    "Gone",
    ("CarriedBelowHome", struct(carried=id16, object=id16)))
reason = struct(reason=text)
bar = choice(("Loop", struct(path=listed(id16))), "Busy", "Depth", ("Denied", reason))
answer = choice(
    "Given", "NoHandler", "OwnerGone", "Busy", ("Panicked", reason),
    ("TooLarge", struct(bytes=u32)), ("Unreadable", reason), ("Unwritable", reason),
    ("Refused", reason))
verdict = choice(
    ("Sequenced", struct(seq=u64, count=u32)), ("Refused", reason), "Gap",
    ("CarriedBelowHome", struct(carried=id16)))
state = choice("Absent", "Payload", "Pieces")
member = struct(session=id16, name=text, info=data, since_ms=u64, away=boolean)
member_change = choice(
    ("Came", member), *((name, struct(session=id16)) for name in ("Away", "Back", "Parted")))

# Frames: number, and the fields of the header in their order.
FRAMES = {
    "Hello": (1, dict(
        magic=fixed(4), version_min=u16, version_max=u16, agent=text, credentials=data,
        resume=option(struct(session=id16, key=id16, attempt=u32)), name=text, info=data,
        extras=listed(extra))),
    "Welcome": (2, dict(
        version=u16, hub=id16, session=id16, key=id16, resumed=boolean, limits=limits,
        extras=listed(extra))),
    "Goodbye": (3, dict(
        code=u16, fault=choice("Nobody", "Sender", "Receiver"), reason=text)),
    "Heartbeat": (4, {}),
    "StatePiece": (5, dict(object=id16, at=u32, of=u32)),
    "Create": (16, dict(
        request=u32, object=id16, name=option(text), or_join=boolean, here=boolean,
        interface=interface_id, codec=byte, state=state, presence=boolean, handover=boolean,
        asks=listed(u16), answers=listed(u16), carried=listed(carried))),
    "Join": (17, dict(
        request=u32, target=target, interface=interface_id, cursor=option(cursor),
        answers=listed(u16))),
    "Part": (18, dict(request=u32, object=id16)),
    "Attach": (19, dict(request=u32, target=target, interface=interface_id)),
    "Detach": (20, dict(request=u32, object=id16)),
    "NameObject": (21, dict(request=u32, object=id16, name=text)),
    "List": (22, dict(request=u32, prefix=text, watch=boolean)),
    "Unwatch": (23, dict(request=u32, list=u32)),
    "Shout": (24, dict(
        object=id16, op=u64, kind=u16, handled_within_ms=option(u32), origin=option(id16),
        carried=listed(carried))),
    "Pin": (25, dict(request=u32, object=id16, pinned=boolean)),
    "Destroy": (26, dict(request=u32, object=id16)),
    "Snapshot": (27, dict(object=id16, at=option(cursor), state=state, carried=listed(carried))),
    "Pull": (28, dict(object=id16, cursor=option(cursor))),
    "Volatile": (29, dict(object=id16, kind=u16)),
    "Heard": (30, dict(object=id16, seq=u64)),
    "Joined": (32, dict(
        request=u32, object=id16, name=option(text), start=cursor, last=u64, state=state,
        resync=option(resync), next_op=u64, owner=option(id16), stale=boolean,
        carried=listed(carried))),
    "Attached": (33, dict(request=u32, object=id16, epoch=id8, next_op=u64)),
    "Done": (34, dict(request=u32)),
    "Refused": (35, dict(request=u32, refusal=refusal)),
    "Listed": (36, dict(request=u32, entries=listed(entry), last=boolean)),
    "Changed": (37, dict(request=u32, change=choice(("Added", entry), ("Removed", text)))),
    "Batch": (38, dict(
        object=id16, epoch=id8, first_seq=u64, hub_time_ms=u64,
        sessions=listed(struct(session=id16, first_op=u64)), shouts=None)),
    "Outcome": (39, dict(object=id16, op=u64, verdict=verdict)),
    "Rejoin": (40, dict(object=id16)),
    "Ended": (41, dict(object=id16, reason=choice(("Failed", text), "Destroyed", "Dropped"))),
    "SnapshotWanted": (42, dict(object=id16)),
    "Resynced": (43, dict(
        object=id16, start=cursor, last=u64, state=state, resync=resync,
        owner=option(id16), carried=listed(carried))),
    "VolatileHeard": (44, dict(object=id16, session=id16, last=u64, kind=u16)),
    "Handled": (45, dict(
        object=id16, op=u64, seq=u64, by=u32, of=u32, missing=listed(id16), more=u32)),
    "Members": (47, dict(
        object=id16, version=u64, after=u64, count=u32, listed=boolean, members=listed(member),
        last=boolean)),
    "MembersChanged": (48, dict(
        object=id16, version=u64, after=u64, count=u32, listed=boolean,
        changes=listed(member_change))),
    "Pulled": (49, dict(object=id16, last=u64, current=boolean)),
    "Ask": (50, dict(object=id16, ask=u64, kind=u16, within_ms=u32, carried=listed(carried))),
    "Asked": (51, dict(
        object=id16, session=id16, ask=u64, last=u64, kind=u16, within_ms=u32,
        carried=listed(carried))),
    "Reply": (52, dict(
        object=id16, session=id16, ask=u64, answer=answer, carried=listed(carried))),
    "Replied": (53, dict(object=id16, ask=u64, answer=answer, carried=listed(carried))),
    "Via": (54, dict(session=id16)),
    "Claim": (55, dict(number=u32, below=byte, path=listed(id16))),
    "Granted": (56, dict(number=u32)),
    "Barred": (57, dict(number=u32, why=bar)),
    "Below": (58, dict(sessions=listed(id16), more=boolean)),
    "Over": (59, dict(session=id16)),
    "Reserve": (60, dict(object=id16)),
    "Release": (61, dict(object=id16)),
    "Made": (62, dict(request=u32, object=id16, epoch=option(id8))),
    "Fetch": (63, dict(
        request=u32, target=target, interface=option(interface_id), cursor=option(cursor))),
    "Fetched": (64, dict(
        request=u32, object=id16, name=option(text), interface=interface_id, codec=byte,
        presence=boolean, start=cursor, last=u64, state=state, anew=boolean, owner=option(id16),
        carried=listed(carried))),
    "Enroll": (65, dict(
        request=u32, object=id16, session=id16, leaf=boolean, answers=listed(u16), name=text,
        info=data)),
    "Enrolled": (66, dict(request=u32, object=id16, next_op=u64)),
    "Withdraw": (67, dict(object=id16, session=id16, leaf=boolean)),
    "Absent": (68, dict(object=id16, session=id16)),
    "Spent": (69, dict(object=id16, session=id16, op=u64, why=choice(
        ("Refused", reason), ("CarriedBelowHome", struct(carried=id16))))),
    "Stalled": (70, dict(object=id16)),
}
WITH_PAYLOAD = (
    "StatePiece", "Create", "Shout", "Snapshot", "Volatile", "Joined", "Resynced", "VolatileHeard",
    "Ask", "Asked", "Reply", "Replied", "Via", "Fetched")


def shouts(batch):
    out = unsigned(16)(len(batch["shouts"]))
    for shout in batch["shouts"]:
        first_op = batch["sessions"][shout["session"]]["first_op"]
        out += u16(shout["session"]) + u64(shout["op"] - first_op) + u16(shout["kind"])
        out += byte(bool(shout["carried"]) | shout["asks"] << 1)
        if shout["carried"]:
            out += listed(carried)(shout["carried"])
        out += data(shout["payload"])
    return out


def body(vector):
    """A frame without its length: type, header, payload."""
    number, fields = FRAMES[vector["frame"]]
    names = ["frame", *fields] + ["payload"] * (vector["frame"] in WITH_PAYLOAD)
    assert list(vector) == names, (list(vector), names)
    out = byte(number)
    for name, form in fields.items():
        out += shouts(vector) if name == "shouts" else form(vector[name])
    return out + bytes.fromhex(vector.get("payload", ""))


def framed(frame_body):
    return len(frame_body).to_bytes(4, "little") + frame_body


def hex_lines(raw):
    digits = raw.hex()
    return "".join(digits[at:at + 64] + "\n" for at in range(0, len(digits), 64))


def files():
    """Every file of the vectors, with its text."""
    import links
    import malformed
    import malformed_links
    import well_formed

    out = {}
    for name, vector in (well_formed.VECTORS | links.VECTORS).items():
        out[f"{name}.json"] = json.dumps(vector, indent=1, ensure_ascii=False) + "\n"
        out[f"{name}.hex"] = hex_lines(framed(body(vector)))
    for name, (raw, error, why) in (malformed.vectors() | malformed_links.vectors()).items():
        case = {"error": error, "why": why}
        out[f"malformed/{name}.json"] = json.dumps(case, indent=1, ensure_ascii=False) + "\n"
        out[f"malformed/{name}.hex"] = hex_lines(raw)
    return out


def main():
    made = files()
    there = {
        str(path.relative_to(HERE)): path
        for path in HERE.glob("**/*") if path.suffix in (".json", ".hex")}
    if sys.argv[1:] == ["--check"]:
        wrong = [name for name in made if name not in there
                 or there[name].read_text(encoding="utf-8") != made[name]]
        wrong += [name for name in there if name not in made]
        sys.exit("\n".join(["not as made:", *sorted(wrong)]) if wrong else 0)
    for name in there.keys() - made.keys():
        there[name].unlink()
    for name, content in made.items():
        path = HERE / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")
    print(f"{len(made) // 2} vectors")


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.modules["make"] = sys.modules["__main__"]
    main()
