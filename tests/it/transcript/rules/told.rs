//! Rules 5 to 9: what voices are told, and what follows from it for leaves.

use super::*;

const SAID: &str = "said alec kermit 1 croak\n said alec kermit 2 hop";

#[test]
fn rule_5_a_receipt_names_the_seq_that_carries_its_shout() {
    let other = but(&[(RECEIPT_1, "receipted alec kermit 1 2"), (RECEIPT_2, "")]);
    refused_as!(other, Violation::FalseReceipt { n: 1, seq: 2, heard_text, .. } if heard_text == "hop");
    let nowhere = but(&[(RECEIPT_2, "receipted alec kermit 2 9")]);
    refused_as!(nowhere, Violation::MisplacedReceipt { n: 2, seq: 9, heard_seq: 2, .. });
}

#[test]
fn rule_5_no_two_receipts_name_one_seq_and_a_voices_increase() {
    let receipted = |one, two| {
        format!("{SAID}\n receipted alec kermit 1 {one}\n receipted alec kermit 2 {two}")
    };
    passes(&receipted(1, 2));
    passes(&receipted(1, 9));
    refused_as!(receipted(1, 1), Violation::SharedReceipt { seq: 1, n: 2, first_n: 1, .. });
    refused_as!(receipted(2, 1), Violation::ReceiptsReordered { n: 1, seq: 2, later_n: 2, .. });
}

#[test]
fn rule_6_what_is_heard_was_said() {
    let unsaid = [("said alec kermit 1 croak", ""), (RECEIPT_1, "")];
    refused_as!(but(&unsaid), Violation::Unsaid { seq: 1, .. });
    let outcome = with("lost alec kermit 3 vetoed");
    refused_as!(outcome, Violation::OutcomeUnsaid { n: 3, .. });
}

#[test]
fn rule_6_what_was_refused_is_heard_by_nobody() {
    assert_eq!(passes(&with("said alec kermit 3 spit\n lost alec kermit 3 vetoed")).lost, 1);
    let heard = but(&[(RECEIPT_2, "lost alec kermit 2 vetoed")]);
    refused_as!(heard, Violation::LostHeard { n: 2, seq: 2, why, .. } if why == "vetoed");
}

#[test]
fn rule_6_a_shout_is_said_once_and_ends_once() {
    let numbered = with("said alec kermit 2 leap");
    refused_as!(numbered, Violation::SaidTwice { n: 2, text, .. } if text == "leap");
    let named = with("said alec kermit 3 hop");
    refused_as!(named, Violation::TextReused { n: 3, first_n: 2, .. });
    refused_as!(with("unknown alec kermit 2"), Violation::TwoOutcomes { n: 2, .. });
}

#[test]
fn rule_6_numbers_count_from_1() {
    let zeros =
        ["said alec kermit 0 leap", "receipted alec kermit 1 0", "heard amy kermit 0 alec croak"];
    for zero in zeros {
        refused_as!(with(zero), Violation::Zero { event } if *event == tabs(zero));
    }
}

#[test]
fn rule_7_what_was_receipted_is_heard_by_all_who_were_there() {
    let expected = Violation::ReceiptUnheard {
        leaf: s("amy"),
        object: s("kermit"),
        from: 1,
        to: 1,
        voice: s("alec"),
        n: 1,
        seq: 1,
        receipts: 1,
    };
    assert_eq!(refused_alone(&but(&[(AMY_1, "")])), expected);
    let last = but(&[(AMY_2, "")]);
    refused_as!(last, Violation::ReceiptUnheard { n: 2, seq: 2, from: 2, to: 2, .. });
    let all = but(&[(AMY_1, ""), (AMY_2, "")]);
    refused_as!(all, Violation::ReceiptUnheard { from: 1, to: 2, receipts: 2, .. });

    passes(&but(&[(AMY_2, "parted amy kermit")]));
}

#[test]
fn rule_8_a_leaf_that_stays_ends_at_the_last_seq() {
    let expected = Violation::Short { leaf: s("amy"), object: s("kermit"), at: 1, end: 2 };
    let short = changed(&unreceipted(), &[(AMY_2, "")]);
    assert_eq!(refused_alone(&short), expected);
    assert_eq!(refused_alone(&changed(&short, &[(END, "")])), expected);
    passes(&format!("{short}\n parted amy kermit"));
}

#[test]
fn rule_8_a_state_that_covers_more_shows_how_far_the_object_went() {
    let [amy, angus] = &refused(&but(&[(END, "joined marvin kermit 3")]))[..] else {
        panic!("both")
    };
    assert!(matches!(amy, Violation::Short { at: 2, end: 3, .. }), "{amy}");
    assert!(matches!(angus, Violation::Short { at: 2, end: 3, .. }), "{angus}");
}

#[test]
fn rule_8_nothing_goes_past_the_end() {
    let heard = "said alec kermit 3 x\n unknown alec kermit 3\n
        heard amy kermit 3 alec x\n heard angus kermit 3 alec x";
    let receipted = "said alec kermit 3 x\n receipted alec kermit 3 3";
    for past in [heard, receipted, "joined marvin kermit 3", "resynced amy kermit 3 3"] {
        refused_as!(with(past), Violation::PastEnd { end: 2, seq: 3, .. });
    }
    passes(&with("ended kermit 2"));
    refused_as!(with("ended kermit 3"), Violation::EndsDiffer { seq: 3, first_seq: 2, .. });
}

#[test]
fn rule_9_a_complete_run_has_an_outcome_for_every_shout() {
    let open = run(&but(&[(RECEIPT_2, "")]));
    open.check().unwrap();
    let violations = open.check_complete().unwrap_err();
    let expected = Violation::NoOutcome { voice: s("alec"), object: s("kermit"), n: 2 };
    assert_eq!(violations.as_slice(), [expected]);
}
