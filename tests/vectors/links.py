"""The frames that are well formed and that hubs say over links, as they stand in the JSON files."""

from make import body
from well_formed import (
    ALEC, AMY, BLOT, CARRIED_BLOT, CARRIED_MAX, CARRIED_NEW, EPOCH, FROG, HUB, LONGEST, NAME_MAX,
    OBJECT, REASON_MAX, U16, U32, U64, ask, asked, create, handled, heard_up_to, outcome, replied,
    reply, volatile)


def via(session, vector):
    """What this frame says, for a session below a link."""
    return {"frame": "Via", "session": session, "payload": body(vector).hex()}


def claim(*path, number=1, below=0):
    return {"frame": "Claim", "number": number, "below": below, "path": list(path)}


def barred(why, number=1):
    return {"frame": "Barred", "number": number, "why": why}


def below(*sessions, more=False):
    return {"frame": "Below", "sessions": list(sessions), "more": more}


def made(**change):
    return {"frame": "Made", "request": 1, "object": OBJECT, "epoch": EPOCH} | change


def fetch(**change):
    return {
        "frame": "Fetch", "request": 2, "target": {"Object": OBJECT}, "interface": FROG,
        "cursor": None} | change


def fetched(**change):
    return {
        "frame": "Fetched", "request": 2, "object": OBJECT, "name": "kermit", "interface": FROG,
        "codec": 1, "presence": False, "start": {"epoch": EPOCH, "seq": 0}, "last": 0,
        "state": "Absent", "anew": True, "owner": None, "carried": [], "payload": ""} | change


def enroll(**change):
    return {
        "frame": "Enroll", "request": 3, "object": OBJECT, "session": ALEC, "leaf": True,
        "answers": [], "name": "", "info": ""} | change


def enrolled(**change):
    return {"frame": "Enrolled", "request": 3, "object": OBJECT, "next_op": 1} | change


def withdraw(**change):
    return {"frame": "Withdraw", "object": OBJECT, "session": ALEC, "leaf": True} | change


def spent(op, why=None, **change):
    return {
        "frame": "Spent", "object": OBJECT, "session": ALEC, "op": op,
        "why": why or {"Refused": {"reason": ""}}} | change


VECTORS = {
    "via_create": via(ALEC, create(state="Payload", payload="0568656c6c6f")),
    "via_ask": via(ALEC, ask(payload="0568656c6c6f")),
    "via_reply": via(AMY, reply(payload="0568656c6c6f")),
    "via_heard": via(ALEC, heard_up_to(300)),
    "via_volatile": via(ALEC, volatile(payload="0304")),
    "via_outcome": via(ALEC, outcome(3, "Gap")),
    "via_handled": via(ALEC, handled()),
    "via_asked": via(AMY, asked(payload="0568656c6c6f")),
    "via_replied": via(ALEC, replied(payload="0568656c6c6f")),
    "via_of_what_is_no_frame": {"frame": "Via", "session": ALEC, "payload": "00"},
    "via_maximal": {"frame": "Via", "session": "ff" * 16, "payload": "5a" * (65536 - 17)},
    "claim": claim(HUB),
    "claim_passed_on": claim(HUB, BLOT, number=300),
    "claim_maximal": claim(*[f"{n:02x}" * 16 for n in range(16)], number=U32, below=255),
    "granted": {"frame": "Granted", "number": 1},
    "granted_0": {"frame": "Granted", "number": 0},
    "granted_maximal": {"frame": "Granted", "number": U32},
    "barred_loop": barred({"Loop": {"path": [HUB, BLOT, HUB]}}),
    "barred_loop_minimal": barred({"Loop": {"path": []}}, number=0),
    "barred_loop_maximal": barred(
        {"Loop": {"path": [f"{n:02x}" * 16 for n in range(16)]}}, number=U32),
    "barred_busy": barred("Busy"),
    "barred_depth": barred("Depth", number=300),
    "barred_denied": barred({"Denied": {"reason": "not this one"}}),
    "barred_denied_at_length": barred({"Denied": {"reason": REASON_MAX}}),
    "below": below(ALEC, AMY),
    "below_nobody": below(),
    "below_to_be_continued": below(ALEC, more=True),
    "below_of_as_many_as_may_be": below(*[f"{n:04x}" * 8 for n in range(4000)], more=True),
    "over": {"frame": "Over", "session": ALEC},
    "over_maximal": {"frame": "Over", "session": "ff" * 16},
    "reserve": {"frame": "Reserve", "object": OBJECT},
    "reserve_maximal": {"frame": "Reserve", "object": "ff" * 16},
    "release": {"frame": "Release", "object": OBJECT},
    "release_maximal": {"frame": "Release", "object": "ff" * 16},
    "made": made(),
    "made_before": made(request=0, epoch=None),
    "made_maximal": made(request=U32, object="ff" * 16, epoch="ff" * 8),
    "fetch": fetch(),
    "fetch_minimal": fetch(request=0, interface=None),
    "fetch_by_name": fetch(target={"Name": "kermit"}),
    "fetch_with_cursor": fetch(interface=None, cursor={"epoch": EPOCH, "seq": 127}),
    "fetch_maximal": fetch(
        request=U32, target={"Name": NAME_MAX}, interface=LONGEST,
        cursor={"epoch": "ff" * 8, "seq": U64}),
    "fetched": fetched(),
    "fetched_minimal": fetched(request=0, name=None, codec=0, anew=False),
    "fetched_with_presence": fetched(presence=True),
    "fetched_what_follows": fetched(start={"epoch": EPOCH, "seq": 127}, last=300, anew=False),
    "fetched_with_state": fetched(
        start={"epoch": EPOCH, "seq": 3}, last=200, state="Payload", payload="0568656c6c6f"),
    "fetched_with_state_in_pieces": fetched(
        start={"epoch": EPOCH, "seq": 3}, last=200, state="Pieces", carried=[CARRIED_BLOT]),
    "fetched_with_state_that_carries": fetched(
        state="Payload", carried=[CARRIED_BLOT, CARRIED_NEW], payload="0001"),
    "fetched_owned": fetched(owner=AMY),
    "fetched_maximal": fetched(
        request=U32, object="ff" * 16, name=NAME_MAX, interface=LONGEST, codec=255, presence=True,
        start={"epoch": "ff" * 8, "seq": U64}, last=U64, state="Payload", owner="ff" * 16,
        carried=CARRIED_MAX, payload="5a" * (61440 - 64 * 91 - 1)),
    "enroll": enroll(answers=[7, 300], name="Alec", info="00ff"),
    "enroll_minimal": enroll(request=0),
    "enroll_only_to_speak": enroll(leaf=False),
    "enroll_maximal": enroll(
        request=U32, object="ff" * 16, session="ff" * 16, answers=[U16 - n for n in range(256)],
        name="é" * 32, info="dd" * 1024),
    "enrolled": enrolled(),
    "enrolled_again": enrolled(next_op=130),
    "enrolled_maximal": enrolled(request=U32, object="ff" * 16, next_op=U64),
    "withdraw": withdraw(),
    "withdraw_who_only_speaks": withdraw(leaf=False),
    "withdraw_maximal": withdraw(object="ff" * 16, session="ff" * 16),
    "absent": {"frame": "Absent", "object": OBJECT, "session": ALEC},
    "absent_maximal": {"frame": "Absent", "object": "ff" * 16, "session": "ff" * 16},
    "spent": spent(3, {"Refused": {"reason": "not today"}}),
    "spent_without_words": spent(1),
    "spent_maximal": spent(
        U64, {"Refused": {"reason": REASON_MAX}}, object="ff" * 16, session="ff" * 16),
    "spent_carried_below_home": spent(3, {"CarriedBelowHome": {"carried": BLOT}}),
    "stalled": {"frame": "Stalled", "object": OBJECT},
    "stalled_maximal": {"frame": "Stalled", "object": "ff" * 16},
}
