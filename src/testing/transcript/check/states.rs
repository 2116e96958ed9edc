//! What states leaves have at each seq: rule 10.

use std::collections::HashMap;

use super::super::names::Symbol;
use super::{Findings, Violation};

/// The first state that was told at each seq, and by whom.
#[derive(Default)]
pub(super) struct States {
    first: HashMap<u64, (Symbol, Symbol)>,
    compared: usize,
}

impl States {
    /// A leaf's state at a seq is that of every other.
    pub(super) fn take(
        &mut self,
        leaf: Symbol,
        seq: u64,
        state: Symbol,
        findings: &mut Findings<'_>,
    ) {
        let (first_leaf, first_state) = *self.first.entry(seq).or_insert((leaf, state));
        self.compared += usize::from(first_leaf != leaf);
        if first_state != state {
            let object = findings.object();
            findings.add(Violation::StatesDiffer {
                object,
                seq,
                leaf: findings.name(leaf),
                state: findings.name(state),
                first_leaf: findings.name(first_leaf),
                first_state: findings.name(first_state),
            });
        }
    }

    /// How many states were held against that of another leaf.
    pub(super) fn compared(&self) -> usize {
        self.compared
    }
}
