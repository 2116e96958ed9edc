//! The bakery, as a newcomer runs it: its whole transcript.

use std::time::Instant;

use crate::process::{Program, example};

#[test]
fn the_bakery_is_rebuilt_after_each_panic_rests_longer_each_time_and_closes() {
    let program = example("bakery");
    #[expect(clippy::disallowed_methods, reason = "another process rests for real")]
    let begun = Instant::now();
    let ended = Program::start(program, &[]).end();
    assert!(begun.elapsed().as_millis() >= 300, "it rests 100 ms, then 200 ms");
    assert!(ended.status.success(), "{ended:#?}");
    assert_eq!(ended.errors, [""; 0]);
    assert_eq!(
        ended.lines,
        [
            "customer: bread 1",
            "customer: bread 2",
            "watcher: panicked: the oven is at 300 degrees",
            "watcher: rests 100 ms",
            "customer: no bread 3",
            "watcher: restarted, 1 of 2",
            "customer: bread 4",
            "customer: bread 5",
            "watcher: panicked: the oven is at 300 degrees",
            "watcher: rests 200 ms",
            "customer: no bread 6",
            "watcher: restarted, 2 of 2",
            "customer: bread 7",
            "customer: bread 8",
            "watcher: panicked: the oven is at 300 degrees",
            "watcher: gave up: the oven is at 300 degrees",
            "customer: no bread 9",
            "the bakery has closed",
        ]
    );
}
