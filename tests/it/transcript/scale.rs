//! The size of the run that the first milestone shows: 8 leaves, 8 voices, 10,000 shouts each.

use actix_multiplex::testing::transcript::{Event, Transcript, Violation};

const VOICES: u64 = 8;
const SHOUTS: u64 = 80_000;

#[test]
fn eight_leaves_and_eighty_thousand_shouts_are_judged() {
    let mut run = eight_leaves();
    let summary = run.check_complete().unwrap();
    assert_eq!((summary.leaves, summary.shouts, summary.deliveries), (8, 80_000, 640_000));

    run.record(&Event::Heard { leaf: "leaf-3", object: "kermit", seq: 7, voice: "v", text: "t" });
    let violations = run.check().unwrap_err();
    let [Violation::HeardTwice { seq: 7, .. }, Violation::Forked { seq: 7, .. }] =
        violations.as_slice()
    else {
        panic!("{violations}")
    };
}

fn eight_leaves() -> Transcript {
    let mut run = Transcript::new();
    let leaves: Vec<String> = (0..8).map(|leaf| format!("leaf-{leaf}")).collect();
    for leaf in &leaves {
        run.record(&Event::Joined { leaf: leaf.as_str(), object: "kermit", after: 0 });
    }
    for seq in 1..=SHOUTS {
        let voice = &*format!("voice-{}", seq % VOICES);
        let (n, text) = ((seq - 1) / VOICES + 1, &*format!("shout {seq}"));
        run.record(&Event::Said { voice, object: "kermit", n, text });
        run.record(&Event::Receipted { voice, object: "kermit", n, seq });
        for leaf in &leaves {
            run.record(&Event::Heard { leaf: leaf.as_str(), object: "kermit", seq, voice, text });
        }
    }
    run
}
