"""The frames that are well formed, as they stand in the JSON files."""

OBJECT = "000102030405060708090a0b0c0d0e0f"
BLOT = "b107" * 8
HUB = "4b" * 16
ALEC = "a1ec" * 8
AMY = "a3" * 16
OF_HUB = "00" * 16
KEY = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
EPOCH = "e0e1e2e3e4e5e6e7"
U16, U32, U64 = 2**16 - 1, 2**32 - 1, 2**64 - 1

FROG = {"tag": "pond.frog", "version": 1}
LONGEST = {"tag": "t" * 64, "version": U16}
NAME_MAX = "é" * 64
REASON_MAX = "r" * 1024
LIMITS = {
    "frame_bytes_max": 65536, "window_shouts": 4096, "window_bytes": 1048576,
    "window_total_bytes": 8388608, "heartbeat_ms": 5000, "silence_ms": 15000, "grace_ms": 0}
CARRIED_BLOT = {"object": BLOT, "tag": "napkin.blot", "seq": 300}
CARRIED_NEW = {"object": "c0" * 16, "tag": "pond.frog", "seq": 0}
CARRIED_MAX = [
    {"object": f"{n:02x}" * 16, "tag": "t" * 64, "seq": U64 - n} for n in range(64)]


def hello(**change):
    return {
        "frame": "Hello", "magic": "4d504c58", "version_min": 1, "version_max": 1,
        "agent": "pond/0.1", "credentials": "", "resume": None, "name": "", "info": "",
        "extras": []} | change


def welcome(**change):
    return {
        "frame": "Welcome", "version": 1, "hub": HUB, "session": ALEC, "key": KEY,
        "resumed": False, "limits": LIMITS, "extras": []} | change


def goodbye(code, fault, reason=""):
    return {"frame": "Goodbye", "code": code, "fault": fault, "reason": reason}


def create(**change):
    return {
        "frame": "Create", "request": 1, "object": OBJECT, "name": "kermit", "or_join": True,
        "here": False, "interface": FROG, "codec": 1, "state": "Absent", "presence": False,
        "handover": False, "asks": [], "answers": [], "carried": [], "payload": ""} | change


def join(**change):
    return {
        "frame": "Join", "request": 2, "target": {"Name": "kermit"}, "interface": FROG,
        "cursor": None, "answers": []} | change


def attach(**change):
    return {
        "frame": "Attach", "request": 4, "target": {"Name": "kermit"}, "interface": FROG} | change


def shout(**change):
    return {
        "frame": "Shout", "object": OBJECT, "op": 1, "kind": 1, "handled_within_ms": None,
        "origin": None, "carried": [], "payload": ""} | change


def snapshot(**change):
    return {
        "frame": "Snapshot", "object": OBJECT, "at": {"epoch": EPOCH, "seq": 300},
        "state": "Payload", "carried": [], "payload": ""} | change


def state_piece(**change):
    return {
        "frame": "StatePiece", "object": OBJECT, "at": 0, "of": 61441, "payload": "05"} | change


def joined(**change):
    return {
        "frame": "Joined", "request": 2, "object": OBJECT, "name": "kermit",
        "start": {"epoch": EPOCH, "seq": 0}, "last": 0, "state": "Absent", "resync": None,
        "next_op": 1, "owner": None, "stale": False, "carried": [], "payload": ""} | change


def resynced(**change):
    return {
        "frame": "Resynced", "object": OBJECT, "start": {"epoch": EPOCH, "seq": 300},
        "last": 300, "state": "Absent",
        "resync": {"reason": "Missed", "from": 17, "to": 300}, "owner": None,
        "carried": [], "payload": ""} | change


def attached(**change):
    return {
        "frame": "Attached", "request": 4, "object": OBJECT, "epoch": EPOCH,
        "next_op": 1} | change


def volatile(**change):
    return {"frame": "Volatile", "object": OBJECT, "kind": 7, "payload": ""} | change


def volatile_heard(**change):
    return {
        "frame": "VolatileHeard", "object": OBJECT, "session": ALEC, "last": 300, "kind": 7,
        "payload": ""} | change


def heard_up_to(seq, **change):
    return {"frame": "Heard", "object": OBJECT, "seq": seq} | change


def handled(**change):
    return {
        "frame": "Handled", "object": OBJECT, "op": 3, "seq": 300, "by": 2, "of": 2, "missing": [],
        "more": 0} | change


def ask(**change):
    return {
        "frame": "Ask", "object": OBJECT, "ask": 1, "kind": 7, "within_ms": 30000, "carried": [],
        "payload": ""} | change


def asked(**change):
    return {
        "frame": "Asked", "object": OBJECT, "session": ALEC, "ask": 1, "last": 300, "kind": 7,
        "within_ms": 30000, "carried": [], "payload": ""} | change


def reply(answer="Given", **change):
    return {
        "frame": "Reply", "object": OBJECT, "session": ALEC, "ask": 1, "answer": answer,
        "carried": [], "payload": ""} | change


def replied(answer="Given", **change):
    return {
        "frame": "Replied", "object": OBJECT, "ask": 1, "answer": answer, "carried": [],
        "payload": ""} | change


def refused(refusal):
    return {"frame": "Refused", "request": 7, "refusal": refusal}


def outcome(op, verdict):
    return {"frame": "Outcome", "object": OBJECT, "op": op, "verdict": verdict}


def heard(session, op, kind=1, payload="", carried=(), asks=False):
    return {
        "session": session, "op": op, "kind": kind, "asks": asks, "carried": list(carried),
        "payload": payload}


def batch(sessions, shouts, **change):
    table = [{"session": session, "first_op": op} for session, op in sessions]
    return {
        "frame": "Batch", "object": OBJECT, "epoch": EPOCH, "first_seq": 1,
        "hub_time_ms": 1763800000000, "sessions": table, "shouts": shouts} | change


def members(**change):
    return {
        "frame": "Members", "object": OBJECT, "version": 2, "after": 17, "count": 2, "listed": True,
        "members": [MEMBER, AWAY], "last": True} | change


def members_changed(**change):
    return {
        "frame": "MembersChanged", "object": OBJECT, "version": 3, "after": 17, "count": 2,
        "listed": True, "changes": [{"Came": MEMBER}]} | change


MEMBER = {"session": ALEC, "name": "Alec", "info": "00ff", "since_ms": 1763800000000, "away": False}
AWAY = {"session": AMY, "name": "", "info": "", "since_ms": 1763800004000, "away": True}
MEMBER_MAX = AWAY | {"name": "é" * 32, "info": "dd" * 1024, "since_ms": U64, "away": True}
ANSWERS = {
    "no_handler": "NoHandler", "busy": "Busy", "panicked": {"Panicked": {"reason": "out of ink"}},
    "too_large": {"TooLarge": {"bytes": 61441}},
    "unreadable": {"Unreadable": {"reason": "2 bytes are left over"}},
    "unwritable": {"Unwritable": {"reason": "65 objects are carried"}}}
ANSWERS_OF_HUBS = {
    "owner_gone": "OwnerGone", "refused": {"Refused": {"reason": "not yours"}}}
ENTRY = {"name": "kermit", "object": OBJECT, "interface": FROG}

VECTORS = {
    "hello": hello(),
    "hello_minimal": hello(version_min=0, version_max=0, agent=""),
    "hello_credentials_and_extra": hello(
        credentials="deadbeef", extras=[{"number": 300, "value": "0102"}]),
    "hello_resume": hello(resume={"session": ALEC, "key": KEY, "attempt": 1}),
    "hello_maximal": hello(
        version_min=U16, version_max=U16, agent="a" * 64, credentials="cd" * 4096,
        resume={"session": "ff" * 16, "key": "ff" * 16, "attempt": U32}, name="é" * 32,
        info="dd" * 1024,
        extras=[{"number": U16 - n, "value": "ee" * 1024} for n in range(16)]),
    "hello_with_name_and_info": hello(name="Alec", info="00ff"),
    "welcome": welcome(),
    "welcome_resumed": welcome(resumed=True, extras=[{"number": 1, "value": ""}]),
    "welcome_maximal": welcome(
        version=U16, limits={name: U32 for name in LIMITS} | {"heartbeat_ms": U32 - 1},
        extras=[{"number": n, "value": "ee" * 1024} for n in range(16)]),
    **{
        f"goodbye_{code}": goodbye(code, fault, reason) for code, fault, reason in [
            (1, "Nobody", "the client is done"), (2, "Nobody", "the hub is stopping"),
            (3, "Nobody", "no common version"), (4, "Nobody", "who are you?"),
            (5, "Receiver", "read faster"), (6, "Receiver", "nothing was heard for 15000 ms"),
            (7, "Receiver", "frame type 5 is unknown"), (8, "Receiver", "a second Hello"),
            (9, "Receiver", "4097 shouts are under way"), (10, "Nobody", "elsewhere"),
            (11, "Sender", "a defect"), (12, "Nobody", "16384 sessions"),
            (13, "Receiver", "no Hello within 5000 ms")]},
    "goodbye_other_code": goodbye(U16, "Nobody"),
    "goodbye_code_0": goodbye(0, "Sender"),
    "goodbye_longest_reason": goodbye(1, "Nobody", REASON_MAX),
    "heartbeat": {"frame": "Heartbeat"},
    "state_piece": state_piece(),
    "state_piece_that_is_all": state_piece(of=1),
    "state_piece_last": state_piece(at=61440),
    "state_piece_maximal": state_piece(
        object="ff" * 16, at=1048576 - 61440, of=1048576, payload="5a" * 61440),
    "create": create(),
    "create_minimal": create(request=0, name=None, or_join=False),
    "create_with_presence": create(presence=True),
    "create_with_asks": create(asks=[7, 300], answers=[7, 300]),
    "create_with_handover": create(handover=True, asks=[7], answers=[7, 8]),
    "create_without_answers": create(handover=True, asks=[7]),
    "create_here": create(here=True),
    "create_here_and_nowhere_else": create(name=None, or_join=False, here=True),
    "create_with_state": create(state="Payload", payload="0568656c6c6f"),
    "create_with_empty_state": create(state="Payload"),
    "create_with_state_in_pieces": create(state="Pieces"),
    "create_with_state_that_carries": create(
        state="Payload", carried=[CARRIED_BLOT, CARRIED_NEW], payload="0001"),
    "create_maximal": create(
        request=U32, object="ff" * 16, name=NAME_MAX, here=True, interface=LONGEST, codec=255,
        state="Payload", presence=True, handover=True, asks=[U16 - n for n in range(256)],
        answers=[U16 - n for n in range(256)], carried=CARRIED_MAX,
        payload="5a" * (61440 - 64 * 91 - 1)),
    "join": join(),
    "join_with_answers": join(answers=[7, 300]),
    "join_by_id_with_cursor": join(target={"Object": OBJECT}, cursor={"epoch": EPOCH, "seq": 127}),
    "join_maximal": join(
        request=U32, target={"Name": NAME_MAX}, interface=LONGEST,
        cursor={"epoch": "ff" * 8, "seq": U64}, answers=[U16 - n for n in range(256)]),
    "part": {"frame": "Part", "request": 3, "object": OBJECT},
    "part_maximal": {"frame": "Part", "request": U32, "object": "ff" * 16},
    "attach": attach(),
    "attach_by_id": attach(target={"Object": OBJECT}, request=128),
    "detach": {"frame": "Detach", "request": 5, "object": OBJECT},
    "detach_maximal": {"frame": "Detach", "request": U32, "object": "ff" * 16},
    "name_object": {"frame": "NameObject", "request": 6, "object": OBJECT, "name": "kermit"},
    "name_object_one_letter": {"frame": "NameObject", "request": 6, "object": OBJECT, "name": "k"},
    "name_object_longest": {
        "frame": "NameObject", "request": U32, "object": OBJECT, "name": NAME_MAX},
    "list": {"frame": "List", "request": 8, "prefix": "ker", "watch": False},
    "list_all_and_watch": {"frame": "List", "request": 8, "prefix": "", "watch": True},
    "list_longest_prefix": {"frame": "List", "request": U32, "prefix": NAME_MAX, "watch": True},
    "unwatch": {"frame": "Unwatch", "request": 9, "list": 8},
    "unwatch_maximal": {"frame": "Unwatch", "request": U32, "list": U32},
    "pin": {"frame": "Pin", "request": 9, "object": OBJECT, "pinned": True},
    "pin_no_longer": {"frame": "Pin", "request": U32, "object": "ff" * 16, "pinned": False},
    "destroy": {"frame": "Destroy", "request": 9, "object": OBJECT},
    "destroy_maximal": {"frame": "Destroy", "request": U32, "object": "ff" * 16},
    "snapshot": snapshot(payload="0501"),
    "snapshot_in_pieces": snapshot(state="Pieces", carried=[CARRIED_BLOT]),
    "snapshot_unable": snapshot(at=None, state="Absent"),
    "snapshot_that_carries": snapshot(carried=[CARRIED_BLOT, CARRIED_NEW], payload="020001"),
    "snapshot_maximal": snapshot(
        object="ff" * 16, at={"epoch": "ff" * 8, "seq": U64}, carried=CARRIED_MAX,
        payload="5a" * (61440 - 64 * 91 - 1)),
    "shout": shout(payload="0568656c6c6f"),
    "shout_without_payload": shout(),
    "shout_that_carries": shout(op=128, kind=300, carried=[CARRIED_BLOT, CARRIED_NEW],
                                payload="0100"),
    "shout_of_a_link": shout(origin=AMY, payload="01"),
    "shout_maximal": shout(
        object="ff" * 16, op=U64, kind=65279, origin="ff" * 16, carried=CARRIED_MAX,
        payload="5a" * (61440 - 64 * 91 - 1)),
    "volatile": volatile(payload="0304"),
    "volatile_without_payload": volatile(),
    "volatile_maximal": volatile(object="ff" * 16, kind=65279, payload="5a" * 1024),
    "volatile_heard": volatile_heard(payload="0304"),
    "volatile_heard_before_all_shouts": volatile_heard(last=0),
    "volatile_heard_maximal": volatile_heard(
        object="ff" * 16, session="ff" * 16, last=U64, kind=65279, payload="5a" * 1024),
    "shout_that_asks": shout(handled_within_ms=5000, payload="0568656c6c6f"),
    "shout_that_asks_of_a_link": shout(
        handled_within_ms=0, origin=AMY, carried=[CARRIED_BLOT], payload="00"),
    "shout_that_asks_maximal": shout(
        object="ff" * 16, op=U64, kind=65279, handled_within_ms=U32, origin="ff" * 16,
        carried=CARRIED_MAX, payload="5a" * (61440 - 64 * 91 - 1)),
    "heard": heard_up_to(300),
    "heard_maximal": heard_up_to(U64, object="ff" * 16),
    "handled": handled(),
    "handled_by_nobody": handled(by=0, of=0),
    "handled_by_some": handled(by=1, of=3, missing=[AMY, ALEC]),
    "handled_maximal": handled(
        object="ff" * 16, op=U64, seq=U64, by=U32 - 64 - 7, of=U32,
        missing=[f"{n:02x}" * 16 for n in range(64)], more=7),
    "joined": joined(start={"epoch": EPOCH, "seq": 41}, last=41),
    "joined_nameless": joined(name=None),
    "joined_with_state": joined(
        start={"epoch": EPOCH, "seq": 3}, last=200, state="Payload", payload="0568656c6c6f"),
    "joined_with_state_in_pieces": joined(
        start={"epoch": EPOCH, "seq": 3}, last=200, state="Pieces", carried=[CARRIED_BLOT]),
    "joined_with_state_that_carries": joined(state="Payload", carried=[CARRIED_BLOT], payload="00"),
    "joined_with_empty_state": joined(state="Payload"),
    "joined_after_missing": joined(
        start={"epoch": EPOCH, "seq": 9}, last=12,
        resync={"reason": "Missed", "from": 3, "to": 9}),
    "joined_in_a_new_epoch": joined(
        resync={"reason": "Epoch", "from": 1, "to": 0}, state="Payload", payload="00"),
    "joined_owned": joined(owner=AMY),
    "joined_stale": joined(start={"epoch": EPOCH, "seq": 41}, last=41, stale=True),
    "joined_stale_with_state": joined(
        last=200, state="Payload", owner=AMY, stale=True, carried=[CARRIED_BLOT], payload="00"),
    "joined_again": joined(start={"epoch": EPOCH, "seq": 17}, last=20, next_op=130),
    "joined_maximal": joined(
        request=U32, object="ff" * 16, name=NAME_MAX, start={"epoch": "ff" * 8, "seq": U64},
        last=U64, state="Payload", resync={"reason": "Epoch", "from": U64, "to": U64}, next_op=U64,
        owner="ff" * 16, stale=True, carried=CARRIED_MAX,
        payload="5a" * (61440 - 64 * 91 - 1)),
    "attached": attached(),
    "attached_again": attached(next_op=130),
    "attached_maximal": attached(
        request=U32, object="ff" * 16, epoch="ff" * 8, next_op=U64),
    "done": {"frame": "Done", "request": 3},
    "done_0": {"frame": "Done", "request": 0},
    "done_maximal": {"frame": "Done", "request": U32},
    "refused_unknown": refused("Unknown"),
    "refused_interface": refused(
        {"Interface": {"wanted": FROG, "there": {"tag": "pond.frog", "version": 2}}}),
    "refused_name_taken": refused({"NameTaken": "kermit"}),
    "refused_has_name": refused({"HasName": "kermit"}),
    "refused_exists": refused({"Exists": OBJECT}),
    "refused_denied": refused({"Denied": "not yours"}),
    "refused_denied_at_length": refused({"Denied": REASON_MAX}),
    "refused_late": refused({"Late": {"ms": 5000}}),
    "refused_limit": refused({"Limit": {"what": "objects", "max": 1048576}}),
    "refused_failed": refused({"Failed": "its repeater panicked 6 times"}),
    "refused_not_joined": refused("NotJoined"),
    "refused_stopping": refused("Stopping"),
    "refused_gone": refused("Gone"),
    "refused_carried_below_home": refused(
        {"CarriedBelowHome": {"carried": BLOT, "object": OBJECT}}),
    "listed": {"frame": "Listed", "request": 8, "entries": [ENTRY], "last": True},
    "listed_nothing": {"frame": "Listed", "request": 8, "entries": [], "last": True},
    "listed_to_be_continued": {
        "frame": "Listed", "request": 8,
        "entries": [ENTRY | {"name": f"frog {n:03}"} for n in range(130)], "last": False},
    "changed_added": {"frame": "Changed", "request": 8, "change": {"Added": ENTRY}},
    "changed_removed": {"frame": "Changed", "request": 8, "change": {"Removed": "kermit"}},
    "changed_longest": {"frame": "Changed", "request": U32, "change": {"Added": {
        "name": NAME_MAX, "object": "ff" * 16, "interface": LONGEST}}},
    "members": members(),
    "members_of_nobody": members(version=1, after=0, count=0, members=[]),
    "members_not_listed": members(version=U64, after=U64, count=U32, listed=False, members=[]),
    "members_to_be_continued": members(count=1000, last=False, members=[
        MEMBER_MAX | {"session": f"{n:02x}" * 16} for n in range(54)]),
    "members_of_the_largest_list": members(count=1000, members=[
        AWAY | {"session": f"{n:04x}" * 8} for n in range(1000)]),
    "members_changed": members_changed(),
    "members_changed_in_every_way": members_changed(changes=[
        {"Parted": {"session": ALEC}}, {"Away": {"session": AMY}}, {"Back": {"session": HUB}},
        {"Came": AWAY | {"session": BLOT}}]),
    "members_changed_not_listed": members_changed(
        version=U64, after=U64, count=1001, listed=False, changes=[]),
    "batch_of_one": batch([(ALEC, 1)], [heard(0, 1, payload="0568656c6c6f")]),
    "batch_of_one_empty_shout": batch([(ALEC, 1)], [heard(0, 1)], hub_time_ms=0),
    "batch_of_16_from_one_session": batch(
        [(ALEC, 100)], [heard(0, 100 + n, payload=f"{n:02x}") for n in range(16)], first_seq=120),
    "batch_of_two_sessions_that_carry": batch(
        [(ALEC, 7), (AMY, 1)],
        [heard(0, 7, 1, "00", [CARRIED_BLOT]), heard(1, 1, 300, "0001", [CARRIED_NEW, CARRIED_BLOT]),
         heard(0, 9, 2, "2a"), heard(1, 2, 1)]),
    "batch_of_shouts_that_ask": batch(
        [(ALEC, 7)],
        [heard(0, 7, 1, "00", asks=True), heard(0, 8, 1, "00", [CARRIED_BLOT], asks=True),
         heard(0, 9, 1, "00")]),
    "batch_of_a_change_of_owner": batch(
        [(ALEC, 7), (OF_HUB, 2)],
        [heard(0, 7, 1, "00"), heard(1, 2, 65281, ALEC + AMY), heard(0, 8, 1, "00")]),
    "batch_of_a_change_to_no_owner": batch(
        [(OF_HUB, 300)], [heard(0, 300, 65281, AMY + OF_HUB)], first_seq=300),
    "batch_with_gaps_in_the_ops": batch(
        [(ALEC, 1)], [heard(0, 1), heard(0, 129), heard(0, 16513)], first_seq=127),
    "batch_of_512_sessions": batch(
        [(f"{n:04x}" * 8, U64 - n) for n in range(512)],
        [heard(n, U64 - n, U16) for n in range(512)],
        first_seq=U64 - 512, hub_time_ms=U64),
    "batch_of_the_largest_shout": batch(
        [(ALEC, U64)], [heard(0, U64, 65279, "5a" * (61440 - 64 * 91 - 1), CARRIED_MAX)]),
    "outcome_sequenced": outcome(3, {"Sequenced": {"seq": 17, "count": 1}}),
    "outcome_sequenced_run": outcome(3, {"Sequenced": {"seq": 300, "count": 4096}}),
    "outcome_sequenced_maximal": outcome(
        U64 - U32, {"Sequenced": {"seq": U64 - U32, "count": U32}}),
    "outcome_refused": outcome(3, {"Refused": {"reason": "not today"}}),
    "outcome_refused_at_length": outcome(U64, {"Refused": {"reason": REASON_MAX}}),
    "outcome_gap": outcome(3, "Gap"),
    "outcome_carried_below_home": outcome(3, {"CarriedBelowHome": {"carried": BLOT}}),
    "rejoin": {"frame": "Rejoin", "object": OBJECT},
    "rejoin_maximal": {"frame": "Rejoin", "object": "ff" * 16},
    "ended": {"frame": "Ended", "object": OBJECT, "reason": {"Failed": "it panicked 6 times"}},
    "ended_without_words": {"frame": "Ended", "object": OBJECT, "reason": {"Failed": ""}},
    "ended_destroyed": {"frame": "Ended", "object": OBJECT, "reason": "Destroyed"},
    "ended_dropped": {"frame": "Ended", "object": OBJECT, "reason": "Dropped"},
    "snapshot_wanted": {"frame": "SnapshotWanted", "object": OBJECT},
    "pull_no_more": {"frame": "Pull", "object": OBJECT, "cursor": None},
    "pull": {"frame": "Pull", "object": OBJECT, "cursor": {"epoch": EPOCH, "seq": 300}},
    "pulled": {"frame": "Pulled", "object": OBJECT, "last": 400, "current": False},
    "pulled_all": {"frame": "Pulled", "object": OBJECT, "last": 4000, "current": True},
    "resynced": resynced(),
    "resynced_with_state": resynced(
        last=310, state="Payload", carried=[CARRIED_BLOT], payload="07"),
    "resynced_with_state_in_pieces": resynced(last=310, state="Pieces"),
    "resynced_owned": resynced(owner=AMY),
    "resynced_of_another_history": resynced(
        start={"epoch": EPOCH, "seq": 0}, last=0, state="Payload",
        resync={"reason": "Epoch", "from": 1, "to": 0}),
    "ask": ask(payload="0568656c6c6f"),
    "ask_minimal": ask(kind=0, within_ms=0),
    "ask_that_carries": ask(ask=128, kind=300, carried=[CARRIED_BLOT, CARRIED_NEW], payload="0100"),
    "ask_maximal": ask(
        object="ff" * 16, ask=U64, kind=65279, within_ms=U32, carried=CARRIED_MAX,
        payload="5a" * (61440 - 64 * 91 - 1)),
    "asked": asked(payload="0568656c6c6f"),
    "asked_minimal": asked(last=0, kind=0, within_ms=0),
    "asked_that_carries": asked(
        ask=128, kind=300, carried=[CARRIED_BLOT, CARRIED_NEW], payload="0100"),
    "asked_maximal": asked(
        object="ff" * 16, session="ff" * 16, ask=U64, last=U64, kind=65279, within_ms=U32,
        carried=CARRIED_MAX, payload="5a" * (61440 - 64 * 91 - 1)),
    "reply": reply(payload="0568656c6c6f"),
    "reply_minimal": reply(),
    "reply_that_carries": reply(ask=128, carried=[CARRIED_BLOT, CARRIED_NEW], payload="0100"),
    **{f"reply_{name}": reply(answer) for name, answer in ANSWERS.items()},
    "reply_too_large_maximal": reply({"TooLarge": {"bytes": U32}}),
    "reply_panicked_at_length": reply({"Panicked": {"reason": REASON_MAX}}),
    "reply_maximal": reply(
        object="ff" * 16, session="ff" * 16, ask=U64, carried=CARRIED_MAX,
        payload="5a" * (61440 - 64 * 91 - 1)),
    "replied": replied(payload="0568656c6c6f"),
    "replied_minimal": replied(),
    "replied_that_carries": replied(ask=128, carried=[CARRIED_BLOT, CARRIED_NEW], payload="0100"),
    **{f"replied_{name}": replied(answer) for name, answer in (ANSWERS | ANSWERS_OF_HUBS).items()},
    "replied_refused_at_length": replied({"Refused": {"reason": REASON_MAX}}),
    "replied_maximal": replied(
        object="ff" * 16, ask=U64, carried=CARRIED_MAX, payload="5a" * (61440 - 64 * 91 - 1)),
}
