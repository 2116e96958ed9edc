//! Who may be linked: a hub grants a link when it is the top of its chain, else the top does.
//!
//! A value. In come claims of hubs that would be below, what this hub itself claims, and what the hub
//! above decides; out come decisions. That no ring comes to be rests on this: a claim travels up
//! through every hub that would be above the one that claims, as long as their links stand, and that
//! one finds itself there if it is among them. While a hub claims itself it cannot know what is above
//! it: of two that wait for each other, the one of the higher id waits.

use std::collections::BTreeMap;

use crate::{
    limits::{CLAIMS_MAX, LINK_DEPTH_MAX},
    object::HubId,
    wire::{Bar, Claim},
};

/// What a hub knows of links.
#[derive(Debug)]
pub(crate) struct Grants<W> {
    own: HubId,
    above: AboveIs,
    /// Claims that wait for this hub's own, with who waits.
    held: Vec<(Claim, W)>,
    /// Claims that were passed on, by the numbers that they were given.
    passed: BTreeMap<u32, (u32, W, usize)>,
    number: u32,
    /// How many hubs there are below this one, one below the other, at most.
    below: usize,
}

/// What is above a hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AboveIs {
    /// Nothing: it is the top.
    Nothing,
    /// It waits for a grant.
    Claimed,
    /// A link, which is cut at the moment.
    Cut,
    /// A link.
    Link,
}

/// What becomes of a claim.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Decision<W> {
    /// The one who waits is answered.
    Answer(u32, W, Result<(), Bar>),
    /// It goes to the hub above.
    Pass(Claim),
    /// It waits.
    Held,
}

impl<W> Grants<W> {
    /// Of a hub that is the top, or that has a link from before, which is cut.
    pub(crate) fn new(own: HubId, is_linked: bool) -> Self {
        let (held, passed) = (Vec::new(), BTreeMap::new());
        let above = if is_linked { AboveIs::Cut } else { AboveIs::Nothing };
        Self { own, above, held, passed, number: 0, below: 0 }
    }

    /// A hub would be linked below this one, or below one that is.
    pub(crate) fn claim(&mut self, claim: Claim, who: W) -> Decision<W> {
        let Claim { number, below, ref path } = claim;
        if path.contains(&self.own) {
            let path = path.iter().copied().chain([self.own]).take(LINK_DEPTH_MAX).collect();
            return Decision::Answer(number, who, Err(Bar::Loop { path }));
        }
        let hubs = path.len() + usize::from(below);
        if hubs >= LINK_DEPTH_MAX {
            return Decision::Answer(number, who, Err(Bar::Depth));
        }
        match self.above {
            AboveIs::Nothing => {
                self.below = self.below.max(hubs);
                Decision::Answer(number, who, Ok(()))
            }
            AboveIs::Link | AboveIs::Claimed
                if self.passed.len() + self.held.len() >= CLAIMS_MAX =>
            {
                Decision::Answer(number, who, Err(Bar::Busy))
            }
            AboveIs::Link => Decision::Pass(self.pass(claim, who)),
            AboveIs::Claimed if path.first() < Some(&self.own) => {
                self.held.push((claim, who));
                Decision::Held
            }
            AboveIs::Cut | AboveIs::Claimed => Decision::Answer(number, who, Err(Bar::Busy)),
        }
    }

    fn pass(&mut self, mut claim: Claim, who: W) -> Claim {
        self.number = self.number.wrapping_add(1);
        let hubs = claim.path.len() + usize::from(claim.below);
        self.passed.insert(self.number, (claim.number, who, hubs));
        claim.path.push(self.own);
        Claim { number: self.number, ..claim }
    }

    /// The hub above has decided about a claim that was passed on.
    pub(crate) fn decided(&mut self, number: u32, is_granted: bool) -> Option<(u32, W)> {
        let (number, who, hubs) = self.passed.remove(&number)?;
        if is_granted {
            self.below = self.below.max(hubs);
        }
        Some((number, who))
    }

    /// This hub waits for a grant from now on. Returns how many hubs are below it.
    pub(crate) fn begin(&mut self) -> u8 {
        self.above = AboveIs::Claimed;
        self.below as u8
    }

    /// It has one, or has none. What has waited for that is decided.
    pub(crate) fn end(&mut self, is_granted: bool) -> Vec<Decision<W>> {
        self.above = if is_granted { AboveIs::Cut } else { AboveIs::Nothing };
        if is_granted {
            // They are decided when it flows.
            return Vec::new();
        }
        self.decide_held()
    }

    /// The link has a connection.
    pub(crate) fn flow(&mut self) -> Vec<Decision<W>> {
        self.above = AboveIs::Link;
        self.decide_held()
    }

    /// The link has none any more.
    pub(crate) fn cut(&mut self) -> Vec<Decision<W>> {
        if self.above == AboveIs::Link {
            self.above = AboveIs::Cut;
        }
        let passed = std::mem::take(&mut self.passed).into_values();
        let passed = passed.map(|(number, who, _)| (number, who));
        let held = std::mem::take(&mut self.held).into_iter();
        let held = held.map(|(claim, who)| (claim.number, who));
        let all = passed.chain(held);
        all.map(|(number, who)| Decision::Answer(number, who, Err(Bar::Busy))).collect()
    }

    fn decide_held(&mut self) -> Vec<Decision<W>> {
        let held = std::mem::take(&mut self.held);
        held.into_iter().map(|(claim, who)| self.claim(claim, who)).collect()
    }
}
