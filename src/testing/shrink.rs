//! Shrinking: a schedule that fails, without the steps that it fails without.

use super::schedule::Schedule;

/// Deletes steps while the schedule still `fails`: first half of them at once, then ever fewer, down
/// to each alone. What is left fails, and does not when any one step more is left out.
pub(super) fn shrink(mut schedule: Schedule, fails: impl Fn(&Schedule) -> bool) -> Schedule {
    let mut length = schedule.steps.len().div_ceil(2);
    while length > 0 {
        let before = schedule.steps.len();
        schedule = without_any(schedule, length, &fails);
        let is_done = schedule.steps.len() == before;
        if is_done {
            length = if length == 1 { 0 } else { length.div_ceil(2) };
        }
    }
    schedule
}

/// Leaves out each run of `length` steps that it fails without.
fn without_any(
    mut schedule: Schedule,
    length: usize,
    fails: &impl Fn(&Schedule) -> bool,
) -> Schedule {
    let mut at = 0;
    while at < schedule.steps.len() {
        let mut shorter = schedule.clone();
        let end = (at + length).min(shorter.steps.len());
        shorter.steps.drain(at..end);
        if fails(&shorter) {
            schedule = shorter;
        } else {
            at += length;
        }
    }
    schedule
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Act, Step};

    #[test]
    fn only_the_steps_that_it_takes_to_fail_are_left() {
        let steps = (0..100).map(|at| Step::from((u64::from(at), Act::Cut(at))));
        let schedule = Schedule::new(1, steps);
        let has =
            |schedule: &Schedule, who| schedule.steps.iter().any(|step| step.act == Act::Cut(who));
        let shrunk = shrink(schedule, |it| has(it, 3) && has(it, 77) && has(it, 78));
        let left: Vec<_> = shrunk.steps.iter().map(|step| step.at_ms).collect();
        assert_eq!(left, [3, 77, 78]);
    }
}
