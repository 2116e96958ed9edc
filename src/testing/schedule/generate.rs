//! The schedule of a seed.

use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};

use super::{Act, Step, Thing};
use crate::hub::Trouble;

/// The steps of a seed.
pub(super) fn steps(seed: u64) -> Vec<Step> {
    let random = &mut StdRng::seed_from_u64(seed ^ 0x5eed);
    let mut steps = vec![Step::from((0, Act::Come(0))), Step::from((1, Act::Come(1)))];
    let mut at_ms = 50;
    for _ in 0..random.random_range(15..50) {
        at_ms += random.random_range(0..PAUSE_MS_MAX) / random.random_range(1..20);
        if random.random_range(0..100) < 3 {
            at_ms = lag(random, at_ms, &mut steps);
            continue;
        }
        let act = act(random);
        steps.push((at_ms, act).into());
        if let Act::Panic { .. } = act {
            at_ms += PANIC_PAUSE_MS;
        }
    }
    steps
}

/// Somebody is cut off from more than a tail holds, and then has to catch up.
fn lag(random: &mut StdRng, at_ms: u64, steps: &mut Vec<Step>) -> u64 {
    let (who, thing) = (random.random_range(0..CLIENTS), thing(random));
    let other = (who + random.random_range(1..CLIENTS)) % CLIENTS;
    let back_ms = at_ms + random.random_range(100..5_000);
    let burst = |count| Act::Shout { who: other, thing, count, bytes: 8 };
    let panic = Act::Panic { thing, trouble: trouble(random) };
    let acts = [(0, Act::Hold(who)), (1, panic), (20, burst(40)), (40, burst(40)), (60, burst(40))];
    steps.extend(acts.map(|(after_ms, act)| Step::from((at_ms + after_ms, act))));
    if random.random() {
        // Of shouts that were refused meanwhile the next hub has to know too.
        steps.push((at_ms + 90, Act::Restart).into());
        steps.push((at_ms + 95, burst(3)).into());
    }
    steps.push((back_ms, Act::Mend(who)).into());
    back_ms + PANIC_PAUSE_MS
}

fn act(random: &mut StdRng) -> Act {
    let (who, thing) = (random.random_range(0..CLIENTS), thing(random));
    match random.random_range(0..100) {
        0..30 => {
            let (count, bytes) = (random.random_range(1..8), random.random_range(0..200));
            Act::Shout { who, thing, count, bytes }
        }
        30..32 => Act::Shout { who, thing, count: random.random_range(50..150), bytes: 8 },
        32..33 => Act::Shout { who, thing, count: 3, bytes: random.random_range(5_000..30_000) },
        33..38 => Act::Speak { who, thing },
        38..48 => Act::Come(who),
        48..51 => Act::ComeAsVoice(who),
        51..54 => Act::Part { who, thing },
        54..59 => Act::Join { who, thing },
        59..61 => Act::Fall { who, thing },
        61..84 => of_a_line(random, who),
        84..87 => Act::Crash(who),
        87..89 => Act::Stall { ms: random.random_range(1..3_000) },
        89..95 => Act::Panic { thing, trouble: trouble(random) },
        95..97 => Act::Repeat { who, thing },
        97..99 => Act::Restart,
        _ => Act::Mend(who),
    }
}

fn of_a_line(random: &mut StdRng, who: u8) -> Act {
    match random.random_range(0..20) {
        0..3 => Act::Cut(who),
        3 => Act::LoseUp(who),
        4 => Act::LoseDown(who),
        5..7 => Act::Hold(who),
        7..10 => Act::Delay { who, ms: random.random_range(1..500) },
        10..12 => Act::Slow { who, bytes_per_s: random.random_range(500..5_000) },
        12 => Act::Tear(who),
        13..15 => Act::Haunt(who),
        _ => Act::Mend(who),
    }
}

fn thing(random: &mut StdRng) -> Thing {
    if random.random() { Thing::Frog } else { Thing::Ledger }
}

fn trouble(random: &mut StdRng) -> Trouble {
    use Trouble::{Flush, Future, Handler, Notify, Timer};
    let all = [Flush, Handler, Notify, Future, Timer];
    *all.choose(random).expect("there are some")
}

/// Enough for three to agree while two are away.
const CLIENTS: u8 = 5;

/// Six panics in ten seconds end an object, which is another story.
const PANIC_PAUSE_MS: u64 = 2_100;

/// Most steps come much closer: things go wrong together.
const PAUSE_MS_MAX: u64 = 2_000;
