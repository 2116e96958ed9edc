"""The frames that are not well formed: bytes, the error they give, and why."""

import links
import well_formed as good
from make import FRAMES, WITH_PAYLOAD, body, byte, carried, framed, id16, id8, text, varint

REQUEST = b"\1"
OBJECT = id16(good.OBJECT)
AMY = id16(good.AMY)
EPOCH = id8(good.EPOCH)
FROG = text("pond.frog") + b"\1"
OVERLONG_0 = b"\x80\0"
U64_OVERFLOW = b"\xff" * 9 + b"\2"


def vectors():
    return lengths() | cut_short() | left_over() | claims() | texts() | varints() | choices() \
        | batches() | nonsense()


def malformed(name, rest, why):
    """A frame of this type with these bytes behind it, which are no header."""
    raw = byte(FRAMES[name][0]) + rest
    return framed(raw), {"Header": {"frame": name, "bytes": len(raw)}}, why


def number(name, rest):
    """A choice that is none."""
    return malformed(name, rest, "no variant has this number")


def says(vector, what, why):
    """A frame whose header can be read and says what cannot be."""
    return framed(body(vector)), {"Nonsense": {"frame": vector["frame"], "what": what}}, why


def typical():
    """One vector of each frame type."""
    first = {}
    for vector in (good.VECTORS | links.VECTORS).values():
        first.setdefault(vector["frame"], vector)
    return first


def header(vector):
    """The header alone, without type and payload."""
    return body({**vector, "payload": ""} if vector["frame"] in WITH_PAYLOAD else vector)[1:]


def lengths():
    def too_long(length):
        return {"TooLong": {"bytes": length, "max": 65536}}

    def unknown(number):
        return framed(byte(number)), {"UnknownType": number}, "no frame of version 1 has this number"

    out = {
        "length_0": (bytes(4), "Empty", "there is no room for a frame type"),
        "length_65537": (
            (65537).to_bytes(4, "little"), too_long(65537), "judged by the length alone"),
        "length_4294967295": (b"\xff" * 4, too_long(2**32 - 1), "judged by the length alone"),
        "length_of_a_web_browser": (
            b"GET / HTTP/1.1\r\n", too_long(int.from_bytes(b"GET ", "little")),
            "another protocol"),
    }
    numbers = 0, 6, 15, 31, 46, 71, 255
    return out | {f"type_{number}": unknown(number) for number in numbers}


def cut_short():
    out = {}
    for name, vector in typical().items():
        whole = header(vector)
        if whole:
            out[f"cut_{name}"] = malformed(name, whole[:-1], "the last byte of the header is missing")
            out[f"bare_{name}"] = malformed(name, b"", "there is no header")
    return out


def left_over():
    out = {}
    for name, vector in typical().items():
        if name not in WITH_PAYLOAD:
            out[f"left_over_{name}"] = (
                framed(body(vector) + b"\0\0"), {"LeftOver": {"frame": name, "left": 2}},
                "this frame has no payload")
    return out


def claims():
    """Counts over their limits: with next to nothing behind them, and in earnest."""
    hello = b"MPLX\1\1"
    create = REQUEST + OBJECT + b"\0\0\0" + FROG + b"\1\1\0\0"
    members = OBJECT + b"\1\0\1\1"
    few = "the count is over its limit, whatever follows"
    full = "one more than the limit"
    return {
        "claim_agent": malformed("Hello", hello + varint(2**63), few),
        "claim_credentials": malformed("Hello", hello + b"\0" + varint(4097) + b"\1\2", few),
        "claim_credentials_huge": malformed("Hello", hello + b"\0" + varint(2**64 - 1), few),
        "claim_extras": malformed("Hello", hello + bytes(5) + varint(17) + b"\1\0", few),
        "claim_extra": malformed("Hello", hello + bytes(5) + b"\1\1" + varint(1025) + b"\0", few),
        "claim_asks": malformed("Create", create + varint(257) + b"\1\2", few),
        "claim_answers": malformed("Create", create + b"\0" + varint(257) + b"\1\2", few),
        "claim_answers_within_the_limit": malformed(
            "Create", create + b"\0" + varint(256) + b"\1\2", "the items are missing"),
        "claim_answers_of_join": malformed(
            "Join", REQUEST + b"\0\1k" + FROG + b"\0" + varint(2**64 - 1) + b"\1\2", few),
        "claim_carried": malformed("Create", create + b"\0\0" + varint(65) + b"\1\2", few),
        "claim_carried_by_ask": malformed("Ask", OBJECT + b"\1\7\1" + varint(65) + b"\1\2", few),
        "claim_carried_by_asked": malformed(
            "Asked", OBJECT + AMY + b"\1\0\7\1" + varint(65) + b"\1\2", few),
        "claim_carried_by_reply": malformed(
            "Reply", OBJECT + AMY + b"\1\0" + varint(2**64 - 1), few),
        "claim_carried_by_replied": malformed("Replied", OBJECT + b"\1\0" + varint(65), few),
        "claim_carried_by_shout": malformed(
            "Shout", OBJECT + b"\1\1\0\0" + varint(2**64 - 1), few),
        "claim_carried_by_joined": malformed(
            "Joined", REQUEST + OBJECT + b"\0" + EPOCH + b"\0\0\0\0\1\0\0" + varint(2**32), few),
        "claim_carried_by_snapshot": malformed(
            "Snapshot", OBJECT + b"\0\0" + varint(65), few),
        "claim_carried_by_resynced": malformed(
            "Resynced", OBJECT + EPOCH + b"\0\0\0\0\1\0\0" + varint(2**32), few),
        "claim_entries": malformed("Listed", REQUEST + varint(3277), few),
        "claim_name": malformed("Hello", hello + bytes(3) + varint(2**63), few),
        "claim_info": malformed("Hello", hello + bytes(4) + varint(1025) + b"\1\2", few),
        "claim_members": malformed("Members", members + varint(1001) + OBJECT, few),
        "claim_info_of_member": malformed(
            "Members", members + b"\1" + OBJECT + b"\0" + varint(1025) + b"\1", few),
        "claim_changes": malformed("MembersChanged", members + varint(2001) + OBJECT, few),
        "claim_sessions": malformed(
            "Batch", OBJECT + EPOCH + b"\1\0" + varint(513) + b"\0" * 40, few),
        "claim_shouts": malformed(
            "Batch", batch_header(count=65535) + b"\0\0\1\0\0", "the shouts are missing"),
        "claim_payload_of_shout": malformed(
            "Batch", batch_header() + b"\0\0\1\0" + varint(2**64 - 1), "the payload is missing"),
        "claim_carried_in_batch": malformed(
            "Batch", batch_header() + b"\0\0\1\1" + varint(65) + b"\0", few),
        "over_credentials": malformed(
            "Hello", hello + b"\0" + varint(4097) + bytes(4097) + bytes(4), full),
        "over_extras": malformed(
            "Hello", hello + bytes(5) + varint(17) + b"\1\0" * 17, full),
        "over_extra": malformed(
            "Hello", hello + bytes(5) + b"\1\1" + varint(1025) + bytes(1025), full),
        "over_asks": malformed(
            "Create", create + varint(257) + b"\1" * 257 + b"\0\0", full),
        "over_answers": malformed(
            "Create", create + b"\0" + varint(257) + b"\1" * 257 + b"\0", full),
        "over_answers_of_join": malformed(
            "Join", REQUEST + b"\0\1k" + FROG + b"\0" + varint(257) + b"\1" * 257, full),
        "over_carried_by_ask": malformed(
            "Ask", OBJECT + b"\1\7\1" + varint(65) + carried(good.CARRIED_BLOT) * 65, full),
        "over_carried": malformed(
            "Shout", OBJECT + b"\1\1\0\0" + varint(65) + carried(good.CARRIED_BLOT) * 65, full),
        "over_sessions": malformed(
            "Batch", OBJECT + EPOCH + b"\1\0" + varint(513) + (bytes(16) + b"\1") * 513
            + b"\1\0\0\1\0\0", full),
    }


def texts():
    def named(raw, why):
        return malformed("NameObject", REQUEST + OBJECT + varint(len(raw)) + raw, why)

    def tagged(raw, why):
        return malformed("Attach", REQUEST + b"\0\1k" + varint(len(raw)) + raw + b"\1", why)

    def reason(raw, why):
        return malformed("Goodbye", b"\1\0" + varint(len(raw)) + raw, why)

    return {
        "name_empty": named(b"", "a name has at least 1 byte"),
        "name_of_129_bytes": named(b"k" * 129, "a name has at most 128 bytes"),
        "name_of_129_bytes_in_few_characters": named("é".encode() * 64 + b"k", "bytes count"),
        "name_with_newline": named(b"ker\nmit", "a control character"),
        "name_with_nul": named(b"kermit\0", "a control character"),
        "name_with_escape": named(b"\x1b[2J", "a control character"),
        "name_with_delete": named(b"\x7f", "a control character"),
        "name_with_c1": named("\u0085".encode(), "a control character"),
        "name_not_utf8": named(b"ker\xffmit", "not UTF-8"),
        "name_overlong_utf8": named(b"\xc0\xaf", "not UTF-8: an overlong form"),
        "name_surrogate": named(b"\xed\xa0\x80", "not UTF-8: half of a surrogate pair"),
        "name_cut_in_a_character": named(b"ker\xc3", "not UTF-8: a character cut short"),
        "tag_empty": tagged(b"", "a tag has at least 1 byte"),
        "tag_of_65_bytes": tagged(b"t" * 65, "a tag has at most 64 bytes"),
        "tag_with_newline": tagged(b"pond\nfrog", "a control character"),
        "interface_version_0": malformed(
            "Attach", REQUEST + b"\0\1k" + text("pond.frog") + b"\0", "versions count from 1"),
        "interface_version_0_in_create": malformed(
            "Create", REQUEST + OBJECT + b"\0\0\0" + text("pond.frog") + b"\0\1" + bytes(6),
            "versions count from 1"),
        "carried_tag_with_newline": malformed(
            "Shout", OBJECT + b"\1\1\0\0\1" + OBJECT + text("a\nb") + b"\0", "a control character"),
        "agent_of_65_bytes": malformed(
            "Hello", b"MPLX\1\1" + text("a" * 65) + bytes(5), "an agent has at most 64 bytes"),
        "hello_name_of_65_bytes": malformed(
            "Hello", b"MPLX\1\1" + bytes(3) + text("a" * 65) + bytes(2),
            "a member's name has at most 64 bytes"),
        "member_name_of_65_bytes": malformed(
            "Members", OBJECT + b"\1\0\1\1\1" + OBJECT + text("a" * 65) + bytes(3) + b"\1",
            "a member's name has at most 64 bytes"),
        "prefix_of_129_bytes": malformed(
            "List", REQUEST + text("p" * 129) + b"\0", "a prefix has at most 128 bytes"),
        "reason_of_1025_bytes": reason(b"r" * 1025, "a reason has at most 1,024 bytes"),
        "replied_refused_of_1025_bytes": malformed(
            "Replied", OBJECT + b"\1\x08" + text("r" * 1025) + b"\0",
            "a reason has at most 1,024 bytes"),
        "reply_panicked_not_utf8": malformed(
            "Reply", OBJECT + AMY + b"\1\4\1\xfe\0", "not UTF-8"),
        "reason_not_utf8": reason(b"\xfe", "not UTF-8"),
        "refused_denied_of_1025_bytes": malformed(
            "Refused", REQUEST + b"\5" + text("r" * 1025), "a reason has at most 1,024 bytes"),
        "outcome_refused_of_1025_bytes": malformed(
            "Outcome", OBJECT + b"\1\1" + text("r" * 1025), "a reason has at most 1,024 bytes"),
        "ended_of_1025_bytes": malformed(
            "Ended", OBJECT + b"\0" + text("r" * 1025), "a reason has at most 1,024 bytes"),
    }


def varints():
    longer = "a number has more bytes than it needs"
    over = "a number does not fit its width"
    return {
        "varint_overlong": malformed("Done", OVERLONG_0, longer),
        "varint_overlong_to_the_full": malformed("Done", b"\x81\x80\x80\x80\0", longer),
        "varint_overlong_count": malformed("Listed", REQUEST + OVERLONG_0 + b"\1", longer),
        "varint_overlong_text": malformed("List", REQUEST + b"\x81\0k" + b"\0", longer),
        "varint_overlong_variant": malformed("Refused", REQUEST + OVERLONG_0, longer),
        "varint_overlong_before_payload": malformed(
            "Shout", OBJECT + b"\x81\0" + b"\1\0\0\0payload", longer),
        "varint_overlong_in_batch_header": malformed(
            "Batch", batch_header(hub_time=OVERLONG_0) + b"\0\0\1\0\0", longer),
        "varint_overlong_in_shout_of_batch": malformed(
            "Batch", batch_header() + b"\0" + OVERLONG_0 + b"\1\0\0", longer),
        "varint_overlong_length_in_batch": malformed(
            "Batch", batch_header() + b"\0\0\1\0\x81\0x", longer),
        "varint_overlong_carried_in_batch": malformed(
            "Batch", batch_header() + b"\0\0\1\1\1" + OBJECT + text("t") + OVERLONG_0 + b"\0", longer),
        "varint_u16_overflow": malformed("Goodbye", b"\xff\xff\4\0\0", over),
        "varint_u16_too_long": malformed("Goodbye", b"\xff\xff\xff\0\0\0", over),
        "varint_u32_overflow": malformed("Done", b"\xff\xff\xff\xff\x10", over),
        "varint_u32_too_long": malformed("Done", b"\xff\xff\xff\xff\xff\0", over),
        "varint_u64_overflow": malformed("Outcome", OBJECT + U64_OVERFLOW + b"\2", over),
        "varint_u64_too_long": malformed("Outcome", OBJECT + b"\xff" * 10 + b"\0\2", over),
        "varint_u64_overflow_in_batch": malformed(
            "Batch", batch_header() + b"\0" + U64_OVERFLOW + b"\1\0\0", over),
        "varint_without_end": malformed("Done", b"\xff\xff\xff", "the number goes on"),
    }


def choices():
    return {
        "option_2": malformed(
            "Create", REQUEST + OBJECT + b"\2\1k\0\0" + FROG + b"\1" + bytes(6),
            "an option is 0 or 1"),
        "option_2_in_batch": malformed(
            "Batch", batch_header() + b"\0\0\1\4\0\0", "bits 0 and 1 have a meaning"),
        "option_255": malformed(
            "Join", REQUEST + b"\0\1k" + FROG + b"\xff\0", "an option is 0 or 1"),
        "bool_2": malformed("List", REQUEST + b"\0\2", "a bool is 0 or 1"),
        "bool_2_in_pulled": malformed("Pulled", OBJECT + b"\1\2", "a bool is 0 or 1"),
        "option_2_in_pull": malformed("Pull", OBJECT + b"\2", "an option is 0 or 1"),
        "bool_2_in_pin": malformed("Pin", REQUEST + OBJECT + b"\2", "a bool is 0 or 1"),
        "target_2": number("Join", REQUEST + b"\2\1k" + FROG + b"\0\0"),
        "fault_3": number("Goodbye", b"\1\3\0"),
        "refusal_13": number("Refused", REQUEST + b"\x0d"),
        "refusal_huge": number("Refused", REQUEST + varint(2**32 - 1)),
        "state_is_3": number("Resynced", OBJECT + EPOCH + b"\1\1\3" + b"\0\1\1\0\0"),
        "state_is_3_in_snapshot": number("Snapshot", OBJECT + b"\0\3\0"),
        "verdict_4": number("Outcome", OBJECT + b"\1\4"),
        "end_reason_3": number("Ended", OBJECT + b"\3"),
        "member_change_4": number("MembersChanged", OBJECT + b"\1\0\1\1\1\4" + OBJECT),
        "change_2": number("Changed", REQUEST + b"\2\1k"),
        "resync_reason_2": number(
            "Joined", REQUEST + OBJECT + b"\0" + EPOCH + b"\0\0\0\1\2\1\0" + b"\1\0\0\0"),
        "answer_9": number("Replied", OBJECT + b"\1\x09\0"),
        "answer_9_of_reply": number("Reply", OBJECT + AMY + b"\1\x09\0"),
        "bool_2_in_create": malformed(
            "Create", REQUEST + OBJECT + b"\0\0\0" + FROG + b"\1\0\0\2\0\0\0", "a bool is 0 or 1"),
        "bool_2_of_here": malformed(
            "Create", REQUEST + OBJECT + b"\0\0\2" + FROG + b"\1" + bytes(6), "a bool is 0 or 1"),
        "bool_2_of_stale": malformed(
            "Joined", REQUEST + OBJECT + b"\0" + EPOCH + b"\0\0\0\0\1\0\2\0", "a bool is 0 or 1"),
        "option_2_in_joined": malformed(
            "Joined", REQUEST + OBJECT + b"\0" + EPOCH + b"\0\0\0\0\1\2" + AMY + b"\0\0",
            "an option is 0 or 1"),
        "option_2_in_resynced": malformed(
            "Resynced", OBJECT + EPOCH + b"\0\0\0\0\1\0\2" + AMY + b"\0", "an option is 0 or 1"),
    }


def batch_header(count=1, first_seq=b"\1", hub_time=b"\0", first_op=b"\1"):
    table = b"\1" + id16(good.ALEC) + first_op
    return OBJECT + EPOCH + first_seq + hub_time + table + varint(count)


def batches():
    def wrong(raw, what, why):
        return framed(byte(38) + raw), {"Nonsense": {"frame": "Batch", "what": what}}, why

    shout = b"\0\0\1\0\0"
    last = varint(2**64 - 1)
    return {
        "batch_empty": wrong(
            OBJECT + EPOCH + b"\1\0\0\0", "a batch has at least one shout", "it says nothing"),
        "batch_empty_with_a_session": wrong(
            batch_header(count=0), "a batch has at least one shout", "it says nothing"),
        "batch_index_beyond_the_table": malformed(
            "Batch", batch_header() + b"\1\0\1\0\0", "there is no session 1"),
        "batch_without_table": malformed(
            "Batch", OBJECT + EPOCH + b"\1\0\0\1" + shout, "there is no session 0"),
        "batch_seq_0": wrong(
            batch_header(first_seq=b"\0") + shout, "seqs count from 1", "0 is before the first"),
        "batch_seq_overflow": wrong(
            batch_header(first_seq=last) + shout, "the seqs overflow", "nothing could follow"),
        "batch_op_0": wrong(
            batch_header(first_op=b"\0") + shout, "ops count from 1", "0 is before the first"),
        "batch_op_overflow": wrong(
            batch_header(first_op=last) + b"\0\1\1\0\0", "the ops overflow",
            "first op and offset together do not fit"),
        "batch_carries_nothing": malformed(
            "Batch", batch_header() + b"\0\0\1\1\0\0", "an empty list is written as no list"),
        "batch_with_more_shouts_than_it_counts": (
            framed(byte(38) + batch_header() + shout * 2),
            {"LeftOver": {"frame": "Batch", "left": 5}}, "it counts one shout and brings two"),
        "batch_with_fewer_shouts_than_it_counts": malformed(
            "Batch", batch_header(count=2) + shout, "it counts two shouts and brings one"),
    }


def nonsense():
    return {
        "hello_magic": says(
            good.hello(magic="68656c6c"), "it does not begin with `MPLX`", "another protocol"),
        "welcome_heartbeat_0": says(
            good.welcome(limits=good.LIMITS | {"heartbeat_ms": 0}),
            "heartbeats without a pause", "a client would send nothing else"),
        "welcome_silence_before_heartbeat": says(
            good.welcome(limits=good.LIMITS | {"silence_ms": 5000}),
            "silence is held for death before a heartbeat is due", "nobody could live"),
        "create_stateless_with_state": says(
            good.create(payload="00"), "a state where there is none", "state is Absent"),
        "create_stateless_that_carries": says(
            good.create(carried=[good.CARRIED_BLOT]), "no state, and it carries objects",
            "state is Absent"),
        "create_in_pieces_and_payload": says(
            good.create(state="Pieces", payload="00"), "a state in pieces, and in the payload",
            "state is Pieces"),
        "snapshot_unable_with_state": says(
            good.snapshot(at=None, payload="00"), "a state and what it contains come together",
            "state is Payload, and at is None"),
        "snapshot_at_nothing": says(
            good.snapshot(state="Absent"), "a state and what it contains come together",
            "state is Absent, and at is not None"),
        "snapshot_unable_with_payload": says(
            good.snapshot(at=None, state="Absent", payload="00"), "a state where there is none",
            "state is Absent"),
        "state_piece_empty": says(
            good.state_piece(payload=""), "a piece without bytes", "nothing would come of it"),
        "state_piece_of_too_large": says(
            good.state_piece(of=1048577), "a state that is too large", "one more than the limit"),
        "state_piece_beyond": says(
            good.state_piece(at=61441), "a piece goes beyond its state", "of is 61441"),
        "members_version_0": says(
            good.members(version=0), "versions count from 1", "0 is before the first"),
        "members_not_listed": says(
            good.members(listed=False), "members that are not listed", "listed is false"),
        "members_not_listed_to_be_continued": says(
            good.members(listed=False, members=[], last=False), "members that are not listed",
            "there is nothing to be continued"),
        "members_more_than_there_are": says(
            good.members(count=1), "more members than there are", "two are listed"),
        "members_changed_version_0": says(
            good.members_changed(version=0), "versions count from 1", "0 is before the first"),
        "members_changed_in_nothing": says(
            good.members_changed(changes=[]), "a change of nothing", "no change is listed"),
        "members_changed_not_listed": says(
            good.members_changed(listed=False), "changes of members that are not listed",
            "listed is false"),
        "shout_op_0": says(good.shout(op=0), "ops count from 1", "0 is before the first"),
        "shout_flags": malformed(
            "Shout", OBJECT + b"\1\1\2\0\0", "bits 1 to 7 are reserved"),
        "heard_seq_0": says(good.heard_up_to(0), "seqs count from 1", "0 is before the first"),
        "handled_op_0": says(good.handled(op=0), "ops count from 1", "0 is before the first"),
        "handled_seq_0": says(good.handled(seq=0), "seqs count from 1", "0 is before the first"),
        "handled_by_more_than_all": says(
            good.handled(by=3), "those who handled it and those missing are not all",
            "three of two"),
        "handled_with_some_left_out": says(
            good.handled(by=1, of=4, missing=[good.AMY], more=1),
            "those who handled it and those missing are not all", "one of four is left out"),
        "handled_that_misses_more_than_there_are_numbers": says(
            good.handled(by=good.U32, of=good.U32, more=good.U32),
            "those who handled it and those missing are not all", "it does not wrap around"),
        "handled_with_too_many_names": malformed(
            "Handled", OBJECT + b"\1\1\0\x41" + varint(65) + id16(good.AMY) * 65 + b"\0",
            "one more than the limit"),
        "shout_kind_65280": says(
            good.shout(kind=65280), "kinds from 65280 on are the hubs'", "reserved"),
        "volatile_kind_65280": says(
            good.volatile(kind=65280), "kinds from 65280 on are the hubs'", "reserved"),
        "volatile_too_large": says(
            good.volatile(payload="5a" * 1025), "a volatile message has at most 1024 bytes",
            "one more than the limit"),
        "volatile_heard_kind_65280": says(
            good.volatile_heard(kind=65280), "kinds from 65280 on are the hubs'", "reserved"),
        "volatile_heard_too_large": says(
            good.volatile_heard(payload="5a" * 1025), "a volatile message has at most 1024 bytes",
            "one more than the limit"),
        "joined_stateless_with_state": says(
            good.joined(payload="00"), "a state where there is none", "state is Absent"),
        "joined_in_pieces_and_payload": says(
            good.joined(state="Pieces", payload="00"), "a state in pieces, and in the payload",
            "state is Pieces"),
        "joined_stateless_that_carries": says(
            good.joined(carried=[good.CARRIED_BLOT]), "no state, and it carries objects",
            "state is Absent"),
        "joined_start_after_last": says(
            good.joined(start={"epoch": good.EPOCH, "seq": 2}, last=1),
            "the start is after the last seq", "nothing can be heard before it is said"),
        "resynced_stateless_with_state": says(
            good.resynced(payload="00"), "a state where there is none",
            "state is Absent"),
        "resynced_start_after_last": says(
            good.resynced(last=299), "the start is after the last seq",
            "nothing can be heard before it is said"),
        "joined_next_op_0": says(
            good.joined(next_op=0), "ops count from 1", "0 is before the first"),
        "attached_next_op_0": says(
            good.attached(next_op=0), "ops count from 1", "0 is before the first"),
        "outcome_op_0": says(good.outcome(0, "Gap"), "ops count from 1", "0 is before the first"),
        "outcome_run_of_op_0": says(
            good.outcome(0, {"Sequenced": {"seq": 1, "count": 1}}), "ops count from 1",
            "0 is before the first"),
        "outcome_refused_op_0": says(
            good.outcome(0, {"Refused": {"reason": ""}}), "ops count from 1",
            "0 is before the first"),
        "outcome_seq_0": says(
            good.outcome(1, {"Sequenced": {"seq": 0, "count": 1}}), "seqs count from 1",
            "0 is before the first"),
        "outcome_run_of_none": says(
            good.outcome(1, {"Sequenced": {"seq": 1, "count": 0}}), "a run without ops",
            "outcomes are told of at least one op"),
        "outcome_ops_overflow": says(
            good.outcome(good.U64, {"Sequenced": {"seq": 1, "count": 1}}), "the run overflows",
            "nothing could follow"),
        "outcome_seqs_overflow": says(
            good.outcome(1, {"Sequenced": {"seq": good.U64, "count": 1}}), "the run overflows",
            "nothing could follow"),
        "ask_0": says(good.ask(ask=0), "asks count from 1", "0 is before the first"),
        "ask_kind_65280": says(
            good.ask(kind=65280), "kinds from 65280 on are the hubs'", "reserved"),
        "asked_0": says(good.asked(ask=0), "asks count from 1", "0 is before the first"),
        "asked_kind_65280": says(
            good.asked(kind=65280), "kinds from 65280 on are the hubs'", "reserved"),
        "reply_0": says(good.reply(ask=0), "asks count from 1", "0 is before the first"),
        "reply_0_without_answer": says(
            good.reply("Busy", ask=0), "asks count from 1", "0 is before the first"),
        "reply_busy_with_payload": says(
            good.reply("Busy", payload="00"), "no answer, and it has a payload", "it is not Given"),
        "reply_busy_that_carries": says(
            good.reply("Busy", carried=[good.CARRIED_BLOT]), "no answer, and it has a payload",
            "it is not Given"),
        **{
            f"reply_{name}": says(
                good.reply(answer), "only a hub says so", "it is not the owner's to say")
            for name, answer in good.ANSWERS_OF_HUBS.items()},
        "replied_0": says(good.replied(ask=0), "asks count from 1", "0 is before the first"),
        "replied_too_large_with_payload": says(
            good.replied(good.ANSWERS["too_large"], payload="00"),
            "no answer, and it has a payload", "it is not Given"),
        "replied_refused_that_carries": says(
            good.replied(good.ANSWERS_OF_HUBS["refused"], carried=[good.CARRIED_BLOT]),
            "no answer, and it has a payload", "it is not Given"),
    }
