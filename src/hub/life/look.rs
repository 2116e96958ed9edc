//! A look for objects that nobody needs, made in turns between which everything may change.
//!
//! In comes how much a turn may visit, and the time. Out come those that are due, which the caller
//! drops before anything else changes. A look walks all objects three times: it marks what is
//! needed, then what one that lingers leads to, then it hands out what has no mark. It goes on with
//! a walk only when everything marked has been followed.
//!
//! A change while it is under way is marked as well, so that nothing is due which was needed or
//! renewed during the look: marked is what is renewed, what is listed from now on, and what is no
//! longer listed.

use std::ops::{
    Bound::{Excluded, Unbounded},
    Range,
};

use super::{Ids, Life, Need};
use crate::{limits::SWEEP_DROPS, object::ObjectId};

/// What a turn of a look has come to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Turn {
    /// Objects that have lingered long enough, in the order of their ids. They are to be dropped.
    pub(crate) due: Vec<ObjectId>,
    /// Whether the look has ended.
    pub(crate) ended: bool,
}

/// Where a look has come to.
#[derive(Debug, Default)]
pub(super) struct Look {
    walk: Walk,
    /// The object that the walk has come to.
    last: Option<ObjectId>,
    /// What has been marked and not yet followed.
    follow: Vec<Follow>,
}

/// In which look an object was last reached, and by whom. What is reached in a later look, or by
/// who is needed more, is greater.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark {
    look: u64,
    reach: Reach,
}

/// What leads to an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    /// One that lingers.
    #[default]
    Lingering,
    /// One that has a leaf or a pin.
    Needed,
}

/// The three times that a look walks all objects.
#[derive(Clone, Copy, Debug, Default)]
enum Walk {
    /// Those that have a leaf or a pin are marked.
    #[default]
    Needed,
    /// The others are dated; those that linger are marked.
    Lingering,
    /// Those without a mark are due.
    Due,
}

/// Something to follow.
#[derive(Debug)]
enum Follow {
    /// What an object lists, from one number up to another. What it lists later is marked then.
    Lists { object: ObjectId, numbers: Range<u64>, reach: Reach },
    /// The ids of one list, from a place on.
    Ids { ids: Ids, at: usize, reach: Reach },
}

impl Life {
    /// Goes on with a look, or begins one. A visit is of one object or of one id that is listed.
    pub(crate) fn look(&mut self, visits_max: usize, now_ms: u64) -> Turn {
        self.begin_look();
        let mut turn = Turn::default();
        for _ in 0..visits_max {
            if turn.ended || turn.due.len() == SWEEP_DROPS {
                break;
            }
            if !self.follow_one() {
                self.walk_on(now_ms, &mut turn);
            }
        }
        turn
    }

    fn begin_look(&mut self) {
        if self.look.is_none() {
            self.looks += 1;
            self.look = Some(Look::default());
        }
    }

    /// Marks an object as reached, and what it lists to be followed, if a look is under way.
    pub(super) fn raise(&mut self, object: ObjectId, reach: Reach) {
        let Some(look) = &mut self.look else { return };
        let Some(need) = self.objects.get_mut(&object) else { return };
        let mark = Mark { look: self.looks, reach };
        if mark <= need.mark {
            return;
        }
        need.mark = mark;
        if reach == Reach::Needed {
            need.unneeded_ms = None;
        }
        if let Some(lists) = need.lists.as_ref().filter(|lists| !lists.is_empty()) {
            let numbers = 0..lists.end();
            look.follow.push(Follow::Lists { object, numbers, reach });
        }
    }

    /// Who leads to what an object lists, as far as is known.
    pub(super) fn reach_of(&self, need: &Need) -> Reach {
        let mark = Mark { look: self.looks, reach: Reach::Needed };
        if need.is_loose() && need.mark < mark { Reach::Lingering } else { Reach::Needed }
    }

    /// Follows what was listed up to now, if a look is under way: it may not have come there yet.
    pub(super) fn follow_former(&mut self, former: impl Iterator<Item = Ids>, reach: Reach) {
        let Some(look) = &mut self.look else { return };
        let former = former.filter(|ids| !ids.is_empty());
        look.follow.extend(former.map(|ids| Follow::Ids { ids, at: 0, reach }));
    }

    /// Follows twice as much as was listed anew. That is taken out again once at most, and to
    /// follow a list takes a step more than it has ids; so lists that change fast do not pile up.
    pub(super) fn assist(&mut self, ids: usize) {
        for _ in 0..2 * ids {
            if !self.follow_one() {
                break;
            }
        }
    }

    /// Follows one step. Says whether there was anything.
    fn follow_one(&mut self) -> bool {
        let Some(follow) = self.look.as_mut().and_then(|look| look.follow.pop()) else {
            return false;
        };
        match follow {
            Follow::Lists { object, numbers, reach } => self.follow_lists(object, numbers, reach),
            Follow::Ids { ids, at, reach } => self.follow_ids(ids, at, reach),
        }
        true
    }

    fn follow_lists(&mut self, object: ObjectId, numbers: Range<u64>, reach: Reach) {
        let Some(look) = &mut self.look else { return };
        let Some(need) = self.objects.get(&object) else { return };
        let lists = need.lists.as_ref();
        let Some((ids, next)) = lists.and_then(|lists| lists.at(numbers.start)) else { return };
        if next <= numbers.end {
            let ids = ids.clone();
            look.follow.push(Follow::Lists { object, numbers: next..numbers.end, reach });
            look.follow.push(Follow::Ids { ids, at: 0, reach });
        }
    }

    fn follow_ids(&mut self, ids: Ids, at: usize, reach: Reach) {
        let Some(look) = &mut self.look else { return };
        let Some(id) = ids.get(at).copied() else { return };
        look.follow.push(Follow::Ids { ids, at: at + 1, reach });
        self.raise(id, reach);
    }

    /// Walks to the next object; from the last to the next walk, or to the end of the look.
    fn walk_on(&mut self, now_ms: u64, turn: &mut Turn) {
        let Some(look) = &mut self.look else { return };
        let from = look.last.map_or(Unbounded, Excluded);
        let Some((object, need)) = self.objects.range_mut((from, Unbounded)).next() else {
            turn.ended = look.walk_anew();
            if turn.ended {
                self.look = None;
            }
            return;
        };
        look.last = Some(*object);
        let object = *object;
        match look.walk {
            Walk::Needed if !need.is_loose() => self.raise(object, Reach::Needed),
            Walk::Lingering if need.lingers_on(self.looks, now_ms) => {
                self.raise(object, Reach::Lingering);
            }
            Walk::Due if need.mark.look < self.looks => turn.due.push(object),
            _ => {}
        }
    }
}

impl Look {
    /// Begins the next walk. Says whether there is none.
    fn walk_anew(&mut self) -> bool {
        self.last = None;
        self.walk = match self.walk {
            Walk::Needed => Walk::Lingering,
            Walk::Lingering => Walk::Due,
            Walk::Due => return true,
        };
        false
    }
}

impl Need {
    /// Dates one that nobody needs, as this look has found. Says whether it lingers.
    fn lingers_on(&mut self, look: u64, now_ms: u64) -> bool {
        if self.mark == (Mark { look, reach: Reach::Needed }) {
            return false;
        }
        self.unneeded_ms.get_or_insert(now_ms);
        self.lingers(now_ms)
    }
}

#[cfg(test)]
mod tests;
