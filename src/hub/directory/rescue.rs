//! Objects that a journal has not whole, brought back with what is whole of them.

use actix::Context;

use super::{Directory, RetryError};
use crate::{
    hub::{Env, history::History},
    journal::Change,
    object::{Epoch, ObjectId},
    wire::{self, Entry},
};

impl Directory {
    /// A quarantined object begins anew, in the journal too: in another epoch, in which nothing is
    /// known of those who had shouted there.
    pub(super) fn rescue(
        &mut self,
        object: ObjectId,
        env: &Env,
        ctx: &mut Context<Self>,
    ) -> Result<(), RetryError> {
        let lost = |why: &dyn ToString| RetryError::Lost { object, why: why.to_string() };
        let epoch = Epoch::random(&mut self.random);
        let kept = self.quarantine.kept(object).ok_or(RetryError::Unknown(object))?;
        let mut rebased = kept.rebase(epoch).map_err(|why| lost(&why))?;
        if let Some(definition) = &mut rebased.kept.definition {
            definition.name.take_if(|name| self.names.get(name) != Some(&object));
        }
        let history = History::restored(object, &rebased.kept, |_| false);
        let history = history.map_err(|why| lost(&why))?;
        let definition = rebased.kept.definition.clone().ok_or_else(|| lost(&"it is unknown"))?;
        let since_ms = self.clock.now_ms();
        let involved = self.restore(env, (object, definition, history), since_ms, ctx);
        let involved = involved.map_err(|why| lost(&why))?;
        self.keep([Change::Cleared(object)].into_iter().chain(rebased.kept.changes()));
        self.revisit(object, &involved);
        self.quarantine.end(object);
        let left_out = rebased.left_out.join("; ");
        tracing::warn!(%object, %epoch, left_out, "a damaged object begins anew");
        self.tell_named(object);
        self.sweep_later(ctx);
        Ok(())
    }

    /// An object that has a name was not listed, and is.
    fn tell_named(&mut self, object: ObjectId) {
        let Some(known) = self.objects.get(&object) else { return };
        let interface = known.interface.clone();
        if let Some(name) = known.name.clone() {
            self.tell_watchers(&wire::Change::Added(Entry { name, object, interface }));
        }
    }
}
