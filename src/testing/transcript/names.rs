//! Interned labels and texts: a shout heard by eight leaves is one string, compared as a number.

use std::collections::HashMap;
use std::sync::Arc;

/// The place of a string in [`Names`].
pub(super) type Symbol = usize;

/// Every string of a transcript, once, in the order of first mention.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Names {
    symbols: HashMap<Arc<str>, Symbol>,
    names: Vec<Arc<str>>,
}

impl Names {
    pub(super) fn intern(&mut self, name: &str) -> Symbol {
        if let Some(&symbol) = self.symbols.get(name) {
            return symbol;
        }
        let name: Arc<str> = name.into();
        self.names.push(Arc::clone(&name));
        self.symbols.insert(name, self.names.len() - 1);
        self.names.len() - 1
    }

    pub(super) fn of(&self, symbol: Symbol) -> &str {
        &self.names[symbol]
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }
}
