//! Rules 1 to 4: what leaves hear.

use super::*;

const JOIN: &str = "joined amy kermit 0";

#[test]
fn rule_1_a_leaf_misses_nothing() {
    let expected = Violation::Gap { leaf: s("amy"), object: s("kermit"), from: 1, to: 1 };
    assert_eq!(refused_alone(&changed(&unreceipted(), &[(AMY_1, "")])), expected);

    let late = but(&[(JOIN, "joined amy kermit 1"), (AMY_1, "")]);
    assert_eq!(passes(&late).deliveries, 3);
}

#[test]
fn rule_1_a_resync_covers_what_it_names_and_no_more() {
    assert_eq!(passes(&but(&[(AMY_1, "resynced amy kermit 1 1")])).resyncs, 1);
    passes(&but(&[(AMY_1, "resynced amy kermit 1 2"), (AMY_2, "")]));

    let more = changed(&unreceipted(), &[(AMY_1, ""), (AMY_2, "resynced amy kermit 2 2")]);
    refused_as!(more, Violation::Gap { from: 1, to: 1, .. });
    let again = but(&[(AMY_1, "resynced amy kermit 1 1\nheard amy kermit 1 alec croak")]);
    refused_as!(again, Violation::HeardCovered { seq: 1, .. });
}

#[test]
fn rule_1_a_resync_tells_of_something_that_was_missed() {
    let behind = with("resynced amy kermit 1 2");
    refused_as!(behind, Violation::BadResync { from: 1, to: 2, last: 2, .. });
    let partly = but(&[(AMY_2, "resynced amy kermit 1 2")]);
    refused_as!(partly, Violation::BadResync { from: 1, to: 2, last: 1, .. });
    let nothing = but(&[(AMY_2, "resynced amy kermit 3 2\nheard amy kermit 2 alec hop")]);
    refused_as!(nothing, Violation::BadResync { from: 3, to: 2, last: 1, .. });
}

#[test]
fn rule_1_a_leaf_hears_in_order_and_once() {
    let late = Violation::OutOfOrder { leaf: s("amy"), object: s("kermit"), seq: 1, last: 2 };
    let swapped = [AMY_2, AMY_1].join("\n");
    assert_eq!(refused_alone(&but(&[(AMY_1, ""), (AMY_2, &swapped)])), late);
    refused_as!(with(AMY_1), Violation::HeardTwice { seq: 1, .. });
    let covered = but(&[(JOIN, "joined amy kermit 1")]);
    refused_as!(covered, Violation::HeardCovered { seq: 1, .. });
}

#[test]
fn rule_1_a_hole_filled_in_its_middle_stays_two_holes() {
    let said = (1..=5).map(|n| format!("said alec kermit {n} t{n}\n unknown alec kermit {n}"));
    let heard = [5, 3, 3].map(|seq| format!("heard amy kermit {seq} alec t{seq}"));
    let lines: Vec<_> = [s(JOIN)].into_iter().chain(said).chain(heard).collect();
    let [late, twice, first, second] = &refused(&lines.join("\n"))[..] else { panic!("four") };
    assert!(matches!(late, Violation::OutOfOrder { seq: 3, last: 5, .. }), "{late}");
    assert!(matches!(twice, Violation::HeardTwice { seq: 3, .. }), "{twice}");
    assert!(matches!(first, Violation::Gap { from: 1, to: 2, .. }), "{first}");
    assert!(matches!(second, Violation::Gap { from: 4, to: 4, .. }), "{second}");
}

#[test]
fn rule_1_a_leaf_hears_only_while_joined() {
    let again = [AMY_1, "parted amy kermit", JOIN, AMY_1, AMY_2].join("\n");
    assert_eq!(passes(&but(&[(AMY_1, ""), (AMY_2, &again)])).deliveries, 5);

    for late in [AMY_1, "resynced amy kermit 2 2", "parted amy kermit"] {
        let parted = with(&format!("parted amy kermit\n {late}"));
        refused_as!(parted, Violation::NotJoined { event, .. } if *event == tabs(late));
    }
    let never = refused(&but(&[(JOIN, "")]));
    assert!(never.iter().all(|it| matches!(it, Violation::NotJoined { .. })), "{never:?}");
    refused_as!(with("joined amy kermit 2"), Violation::JoinedTwice { after: 2, last: 2, .. });
}

#[test]
fn rule_2_a_seq_is_one_shout_for_all() {
    let expected = Violation::Forked {
        object: s("kermit"),
        seq: 1,
        leaf: s("angus"),
        voice: s("alec"),
        text: s("ribbit"),
        first_leaf: s("amy"),
        first_voice: s("alec"),
        first_text: s("croak"),
    };
    let text = but(&[(ANGUS_1, "heard angus kermit 1 alec ribbit")]);
    assert_eq!(refused_alone(&text), expected);
    let voice = but(&[(ANGUS_1, "heard angus kermit 1 bob croak")]);
    refused_as!(voice, Violation::Forked { seq: 1, .. });
}

#[test]
fn rule_3_a_shout_has_one_seq() {
    let again = "heard amy kermit 3 alec croak\n heard angus kermit 3 alec croak";
    let twice = but(&[(END, again)]);
    refused_as!(twice, Violation::SequencedTwice { seq: 3, first_seq: 1, .. });
}

#[test]
fn rule_3_two_voices_may_say_the_same() {
    let more = "said bob kermit 1 croak\n receipted bob kermit 1 3
        heard amy kermit 3 bob croak\n heard angus kermit 3 bob croak";
    assert_eq!(passes(&but(&[(END, more)])).shouts, 3);
}

#[test]
fn rule_4_a_voice_keeps_its_order() {
    let crossed = [
        ("said alec kermit 1 croak", "said alec kermit 1 hop"),
        ("said alec kermit 2 hop", "said alec kermit 2 croak"),
    ];
    let crossed = changed(&unreceipted(), &crossed);
    refused_as!(crossed, Violation::VoiceReordered { n: 1, seq: 2, later_n: 2, .. });

    let two_voices =
        crossed.replace("alec kermit 2", "bob kermit 1").replace("alec croak", "bob croak");
    passes(&two_voices);
}
