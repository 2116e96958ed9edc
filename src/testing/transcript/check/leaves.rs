//! What each leaf of an object heard, one membership at a time: rules 1, 7 and 8.

use std::collections::{BTreeMap, HashMap};

use super::super::Event;
use super::super::names::Symbol;
use super::shouts::Receipt;
use super::{Findings, Violation};

/// Every leaf of one object, in the order of first mention.
#[derive(Default)]
pub(super) struct Leaves {
    leaves: Vec<Leaf>,
    places: HashMap<Symbol, usize>,
}

impl Leaves {
    /// Rule 1, event by event; what no leaf has will show in the end.
    pub(super) fn take(&mut self, event: &Event<Symbol>, findings: &mut Findings<'_>) {
        match *event {
            Event::Joined { leaf, after, .. } => self.leaf(leaf).join(after, findings),
            Event::Heard { leaf, .. }
            | Event::Resynced { leaf, .. }
            | Event::Parted { leaf, .. } => self.leaf(leaf).take(event, findings),
            _ => {}
        }
    }

    /// How many ever joined.
    pub(super) fn joined(&self) -> usize {
        self.leaves.iter().filter(|leaf| leaf.has_joined).count()
    }

    /// Rules 7 and 8, and the gaps of rule 1; the receipts are given by seq.
    pub(super) fn judge(&self, end: u64, receipts: &[Receipt], findings: &mut Findings<'_>) {
        for leaf in &self.leaves {
            leaf.judge(end, receipts, findings);
        }
    }

    fn leaf(&mut self, label: Symbol) -> &mut Leaf {
        let place = *self.places.entry(label).or_insert_with(|| {
            self.leaves.push(Leaf { label, has_joined: false, now: None, before: Vec::new() });
            self.leaves.len() - 1
        });
        &mut self.leaves[place]
    }
}

struct Leaf {
    label: Symbol,
    has_joined: bool,
    now: Option<Membership>,
    /// What it missed in memberships that have ended.
    before: Vec<(u64, u64)>,
}

impl Leaf {
    fn join(&mut self, after: u64, findings: &mut Findings<'_>) {
        if let Some(now) = &self.now {
            let (leaf, object, last) = (findings.name(self.label), findings.object(), now.last);
            findings.add(Violation::JoinedTwice { leaf, object, after, last });
        }
        self.part();
        self.has_joined = true;
        self.now = Some(Membership::after(after));
    }

    fn part(&mut self) {
        self.before.extend(self.now.take().into_iter().flat_map(|now| now.holes));
    }

    fn take(&mut self, event: &Event<Symbol>, findings: &mut Findings<'_>) {
        let Some(now) = &mut self.now else {
            return findings.not_joined(self.label, event);
        };
        match *event {
            Event::Heard { seq, .. } => {
                if let Some(slip) = now.hear(seq) {
                    findings.misheard(self.label, seq, slip);
                }
            }
            Event::Resynced { from, to, .. } => {
                let last = now.last;
                if !now.resync(from, to) {
                    let (leaf, object) = (findings.name(self.label), findings.object());
                    findings.add(Violation::BadResync { leaf, object, from, to, last });
                }
            }
            Event::Parted { .. } => self.part(),
            _ => {}
        }
    }

    fn judge(&self, end: u64, receipts: &[Receipt], findings: &mut Findings<'_>) {
        let holes = self.now.iter().flat_map(|now| &now.holes).map(|(&from, &to)| (from, to));
        for (from, to) in self.before.iter().copied().chain(holes) {
            if !findings.receipt_unheard(self.label, from, to, receipts) {
                let (leaf, object) = (findings.name(self.label), findings.object());
                findings.add(Violation::Gap { leaf, object, from, to });
            }
        }
        let Some(at) = self.now.as_ref().map(|now| now.last).filter(|&at| at < end) else {
            return;
        };
        if !findings.receipt_unheard(self.label, at + 1, end, receipts) {
            let (leaf, object) = (findings.name(self.label), findings.object());
            findings.add(Violation::Short { leaf, object, at, end });
        }
    }
}

/// What a leaf heard between a join and the part that ends it.
struct Membership {
    after: u64,
    /// The furthest it was given or told of.
    last: u64,
    /// What it was given nothing of, below `last`: first to last, apart from each other.
    holes: BTreeMap<u64, u64>,
    /// What it was told that it missed: first and last, in order.
    resyncs: Vec<(u64, u64)>,
}

impl Membership {
    fn after(after: u64) -> Self {
        Self { after, last: after, holes: BTreeMap::new(), resyncs: Vec::new() }
    }

    fn hear(&mut self, seq: u64) -> Option<Slip> {
        if seq > self.last {
            self.advance(seq, seq);
            return None;
        }
        Some(if self.fill(seq) {
            Slip::Late { last: self.last }
        } else if self.is_covered(seq) {
            Slip::Covered
        } else {
            Slip::Twice
        })
    }

    /// False if the leaf was told of nothing, or of what it had behind it.
    fn resync(&mut self, from: u64, to: u64) -> bool {
        if from <= to && self.last < to {
            let first = from.max(self.last + 1);
            self.resyncs.push((first, to));
            self.advance(first, to);
            return first == from;
        }
        false
    }

    fn advance(&mut self, from: u64, to: u64) {
        if from - self.last > 1 {
            self.holes.insert(self.last + 1, from - 1);
        }
        self.last = to;
    }

    /// Takes a seq out of the hole it is in, if it is in one.
    fn fill(&mut self, seq: u64) -> bool {
        let hole = self.holes.range(..=seq).next_back().filter(|(_, to)| seq <= **to);
        let Some((&from, &to)) = hole else {
            return false;
        };
        self.holes.remove(&from);
        if from < seq {
            self.holes.insert(from, seq - 1);
        }
        if seq < to {
            self.holes.insert(seq + 1, to);
        }
        true
    }

    fn is_covered(&self, seq: u64) -> bool {
        let place = self.resyncs.partition_point(|(_, to)| *to < seq);
        seq <= self.after || self.resyncs.get(place).is_some_and(|(from, _)| *from <= seq)
    }
}

/// How a leaf heard what was not ahead of it.
#[derive(Clone, Copy)]
enum Slip {
    Late { last: u64 },
    Covered,
    Twice,
}

impl Findings<'_> {
    fn not_joined(&mut self, leaf: Symbol, event: &Event<Symbol>) {
        let (leaf, object, event) = (self.name(leaf), self.object(), self.line(event));
        self.add(Violation::NotJoined { leaf, object, event });
    }

    fn misheard(&mut self, leaf: Symbol, seq: u64, slip: Slip) {
        let (leaf, object) = (self.name(leaf), self.object());
        self.add(match slip {
            Slip::Late { last } => Violation::OutOfOrder { leaf, object, seq, last },
            Slip::Covered => Violation::HeardCovered { leaf, object, seq },
            Slip::Twice => Violation::HeardTwice { leaf, object, seq },
        });
    }

    /// False if nothing in `from..=to` was receipted.
    fn receipt_unheard(&mut self, leaf: Symbol, from: u64, to: u64, receipts: &[Receipt]) -> bool {
        let start = receipts.partition_point(|receipt| receipt.seq < from);
        let end = receipts.partition_point(|receipt| receipt.seq <= to);
        let Some(&Receipt { voice, n, seq }) = receipts[start..end].first() else {
            return false;
        };
        let (leaf, object, voice) = (self.name(leaf), self.object(), self.name(voice));
        let receipts = end - start;
        self.add(Violation::ReceiptUnheard { leaf, object, from, to, voice, n, seq, receipts });
        true
    }
}
