//! A value that others wait for. They are told of a change in the order in which they began to wait:
//! tokio's `watch` tells them by chance, and then the same seed is not the same run.

use std::{
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

/// The value. Clones are the same one.
#[derive(Clone, Debug)]
pub(super) struct Watched<T>(Arc<Shared<T>>);

#[derive(Debug)]
struct Shared<T> {
    value: Mutex<T>,
    changed: Notify,
}

impl<T: Copy> Watched<T> {
    pub(super) fn new(value: T) -> Self {
        Self(Arc::new(Shared { value: Mutex::new(value), changed: Notify::new() }))
    }

    pub(super) fn get(&self) -> T {
        *self.lock()
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut T)) {
        change(&mut self.lock());
        self.0.changed.notify_waiters();
    }

    /// Waits until it is like this.
    pub(super) async fn wait_for(&self, is_due: impl Fn(&T) -> bool) {
        let mut changed = pin!(self.0.changed.notified());
        loop {
            changed.as_mut().enable();
            if is_due(&self.lock()) {
                return;
            }
            changed.as_mut().await;
            changed.set(self.0.changed.notified());
        }
    }

    fn lock(&self) -> MutexGuard<'_, T> {
        self.0.value.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc};

    use tokio::task::{LocalSet, spawn_local, yield_now};

    use super::*;

    #[tokio::test]
    async fn all_are_told_in_the_order_in_which_they_began_to_wait() {
        let told = Rc::new(RefCell::new(Vec::new()));
        let all = LocalSet::new();
        all.run_until(async {
            let value = Watched::new(0);
            for number in 0..50 {
                let (value, told) = (value.clone(), told.clone());
                spawn_local(async move {
                    value.wait_for(|value| *value > 1).await;
                    told.borrow_mut().push(number);
                });
            }
            yield_now().await;
            value.change(|value| *value = 1);
            yield_now().await;
            assert_eq!(told.borrow()[..], [0; 0]);
            value.change(|value| *value = 2);
            assert_eq!(value.get(), 2);
        })
        .await;
        all.await;
        assert!(told.take().into_iter().eq(0..50));
    }
}
