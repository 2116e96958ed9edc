//! The one order of an object, as its leaves agree on it: rules 2, 3, 4 and 6.

use std::collections::HashMap;

use super::super::names::Symbol;
use super::shouts::{Shout, Shouts};
use super::{Findings, Violation};

/// A leaf was given a shout.
#[derive(Clone, Copy)]
pub(super) struct Hearing {
    pub(super) leaf: Symbol,
    pub(super) seq: u64,
    pub(super) voice: Symbol,
    pub(super) text: Symbol,
}

/// The first hearing of each seq that was heard, by seq.
pub(super) struct Order(Vec<Hearing>);

impl Order {
    /// Rule 2: whoever heard a seq after its first witness must have heard the same.
    pub(super) fn of(mut hearings: Vec<Hearing>, findings: &mut Findings<'_>) -> Self {
        hearings.sort_by_key(|hearing| hearing.seq);
        let mut firsts: Vec<Hearing> = Vec::new();
        for hearing in hearings {
            match firsts.last().filter(|first| first.seq == hearing.seq) {
                None => firsts.push(hearing),
                Some(first) if first.is_same_shout(&hearing) => {}
                Some(first) => findings.forked(first, &hearing),
            }
        }
        Self(firsts)
    }

    /// What was heard at a seq, if anything.
    pub(super) fn at(&self, seq: u64) -> Option<&Hearing> {
        let place = self.0.binary_search_by_key(&seq, |hearing| hearing.seq);
        place.ok().map(|place| &self.0[place])
    }

    /// Rules 3, 4 and 6; every shout learns where it was heard.
    pub(super) fn judge(&self, shouts: &mut Shouts, findings: &mut Findings<'_>) {
        let mut voices = VoiceOrder::default();
        for hearing in &self.0 {
            match shouts.heard(hearing) {
                None => findings.unsaid(hearing),
                Some(shout) => judge_heard(shout, hearing, &mut voices, findings),
            }
        }
    }
}

impl Hearing {
    fn is_same_shout(&self, other: &Self) -> bool {
        self.voice == other.voice && self.text == other.text
    }
}

/// Given in the order of seqs, tells whose shouts are not in the order in which they were sent.
#[derive(Default)]
pub(super) struct VoiceOrder {
    latest: HashMap<Symbol, u64>,
}

impl VoiceOrder {
    /// The number of a later shout of this voice that came before, if there is one.
    pub(super) fn overtaken_by(&mut self, voice: Symbol, n: u64) -> Option<u64> {
        let latest = self.latest.entry(voice).or_insert(n);
        let later = Some(*latest).filter(|latest| *latest > n);
        *latest = n.max(*latest);
        later
    }
}

fn judge_heard(
    shout: &mut Shout,
    hearing: &Hearing,
    voices: &mut VoiceOrder,
    findings: &mut Findings<'_>,
) {
    let (voice, n, seq) = (shout.voice, shout.n, hearing.seq);
    if let Some(first_seq) = shout.heard_at {
        return findings.sequenced_twice(hearing, first_seq);
    }
    shout.heard_at = Some(seq);
    if let Some(later_n) = voices.overtaken_by(voice, n) {
        let (voice, object) = (findings.name(voice), findings.object());
        findings.add(Violation::VoiceReordered { voice, object, n, seq, later_n });
    }
    if let Some(why) = shout.why_lost() {
        let (voice, object, why) = (findings.name(voice), findings.object(), findings.name(why));
        findings.add(Violation::LostHeard { voice, object, n, why, seq });
    }
}

impl Findings<'_> {
    fn forked(&mut self, first: &Hearing, hearing: &Hearing) {
        let violation = Violation::Forked {
            object: self.object(),
            seq: hearing.seq,
            leaf: self.name(hearing.leaf),
            voice: self.name(hearing.voice),
            text: self.name(hearing.text),
            first_leaf: self.name(first.leaf),
            first_voice: self.name(first.voice),
            first_text: self.name(first.text),
        };
        self.add(violation);
    }

    fn sequenced_twice(&mut self, hearing: &Hearing, first_seq: u64) {
        let (voice, text) = (self.name(hearing.voice), self.name(hearing.text));
        let (object, seq) = (self.object(), hearing.seq);
        self.add(Violation::SequencedTwice { voice, object, text, seq, first_seq });
    }

    fn unsaid(&mut self, hearing: &Hearing) {
        let (voice, text) = (self.name(hearing.voice), self.name(hearing.text));
        let (leaf, object, seq) = (self.name(hearing.leaf), self.object(), hearing.seq);
        self.add(Violation::Unsaid { leaf, object, seq, voice, text });
    }
}
