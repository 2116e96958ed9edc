"""The frames of links that are not well formed, but for those of every frame type."""

import links
import well_formed as good
from make import carried, id16, text, varint
from malformed import AMY, EPOCH, FROG, OBJECT, REQUEST, malformed, number, says

ALEC = id16(good.ALEC)
ENROLL = REQUEST + OBJECT + ALEC + b"\1"
FETCHED = REQUEST + OBJECT + b"\0" + FROG + b"\1\0" + EPOCH + b"\0\0\0\1\0"


def vectors():
    return counts() | texts() | choices() | nonsense()


def counts():
    few = "the count is over its limit, whatever follows"
    full = "one more than the limit"
    return {
        "claim_carried_by_fetched": malformed("Fetched", FETCHED + varint(65) + b"\1\2", few),
        "claim_path": malformed("Claim", REQUEST + b"\0" + varint(17) + AMY, few),
        "claim_path_of_a_loop": malformed("Barred", REQUEST + b"\0" + varint(2**32) + AMY, few),
        "claim_below": malformed("Below", varint(4001) + AMY, few),
        "claim_below_within_the_limit": malformed(
            "Below", varint(4000) + AMY + b"\0", "the sessions are missing"),
        "claim_answers_of_enroll": malformed("Enroll", ENROLL + varint(257) + b"\1\2", few),
        "claim_info_of_enroll": malformed("Enroll", ENROLL + b"\0\0" + varint(1025) + b"\1", few),
        "over_answers_of_enroll": malformed(
            "Enroll", ENROLL + varint(257) + b"\1" * 257 + b"\0\0", full),
        "over_info_of_enroll": malformed(
            "Enroll", ENROLL + b"\0\0" + varint(1025) + bytes(1025), full),
        "over_path": malformed("Claim", REQUEST + b"\0" + varint(17) + AMY * 17, full),
        "over_path_of_a_loop": malformed("Barred", REQUEST + b"\0" + varint(17) + AMY * 17, full),
        "over_carried_by_fetched": malformed(
            "Fetched", FETCHED + varint(65) + carried(good.CARRIED_BLOT) * 65, full),
    }


def texts():
    return {
        "enroll_name_of_65_bytes": malformed(
            "Enroll", REQUEST + OBJECT + ALEC + b"\1\0" + text("a" * 65) + b"\0",
            "a member's name has at most 64 bytes"),
        "fetch_interface_version_0": malformed(
            "Fetch", REQUEST + b"\0\1k\1" + text("pond.frog") + b"\0\0", "versions count from 1"),
        "spent_of_1025_bytes": malformed(
            "Spent", OBJECT + ALEC + b"\1\0" + text("r" * 1025), "a reason has at most 1,024 bytes"),
    }


def choices():
    return {
        "bool_2_of_more": malformed("Below", b"\0\2", "a bool is 0 or 1"),
        "bool_2_in_enroll": malformed(
            "Enroll", REQUEST + OBJECT + ALEC + b"\2\0\0\0", "a bool is 0 or 1"),
        "bool_2_in_withdraw": malformed("Withdraw", OBJECT + ALEC + b"\2", "a bool is 0 or 1"),
        "bool_2_of_anew": malformed(
            "Fetched", REQUEST + OBJECT + b"\0" + FROG + b"\1\0" + EPOCH + b"\0\0\0\2\0\0",
            "a bool is 0 or 1"),
        "option_2_in_made": malformed(
            "Made", REQUEST + OBJECT + b"\2" + EPOCH, "an option is 0 or 1"),
        "option_2_in_fetch": malformed(
            "Fetch", REQUEST + b"\0\1k\2" + FROG + b"\0", "an option is 0 or 1"),
        "bar_4": number("Barred", REQUEST + b"\4"),
        "spent_why_2": number("Spent", OBJECT + ALEC + b"\1\2"),
        "target_2_in_fetch": number("Fetch", REQUEST + b"\2\1k\0\0"),
        "state_is_3_in_fetched": number(
            "Fetched", REQUEST + OBJECT + b"\0" + FROG + b"\1\0" + EPOCH + b"\0\0\3\1\0\0"),
    }


def nonsense():
    return {
        "via_empty": says(
            links.via(good.ALEC, good.ask()) | {"payload": ""},
            "nothing of or for the session", "there is no frame in it"),
        "claim_of_nobody": says(links.claim(), "a claim of nobody", "the path is empty"),
        "fetched_stateless_with_state": says(
            links.fetched(payload="00"), "a state where there is none", "state is Absent"),
        "fetched_stateless_that_carries": says(
            links.fetched(carried=[good.CARRIED_BLOT]), "no state, and it carries objects",
            "state is Absent"),
        "fetched_in_pieces_and_payload": says(
            links.fetched(state="Pieces", payload="00"), "a state in pieces, and in the payload",
            "state is Pieces"),
        "fetched_start_after_last": says(
            links.fetched(start={"epoch": good.EPOCH, "seq": 2}, last=1),
            "the start is after the last seq", "nothing can be heard before it is said"),
        "enrolled_next_op_0": says(
            links.enrolled(next_op=0), "ops count from 1", "0 is before the first"),
        "spent_op_0": says(links.spent(0), "ops count from 1", "0 is before the first"),
    }
