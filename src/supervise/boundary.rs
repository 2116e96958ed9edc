//! Where a panic ends: calls and destructors that cannot panic outward.

use std::any::Any;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Calls a function and turns its panic into the panic's message.
///
/// What the function may have left half-done is the caller's to rebuild or to drop.
pub(crate) fn guard<R>(call: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(call)).map_err(reason)
}

fn reason(payload: Box<dyn Any + Send>) -> String {
    let text = match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => (*text).to_owned(),
        (_, Some(text)) => text.clone(),
        _ => "a panic without a message".to_owned(),
    };
    // `panic_any` takes any value, also one whose destructor panics with another of its kind.
    if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        mem::forget(another);
    }
    text
}

/// A value whose destructor cannot panic outward.
///
/// A destructor that panics while another panic unwinds aborts the process, so foreign values that
/// may be dropped there (closures, contexts, mailboxes) are held in one of these.
pub(crate) struct Guarded<T> {
    /// Held until `into_inner` or `drop`, which both end this.
    value: Option<T>,
}

impl<T> Guarded<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { value: Some(value) }
    }

    pub(super) fn into_inner(mut self) -> T {
        self.value.take().expect("held until this consumes it")
    }

    pub(crate) fn as_mut(&mut self) -> &mut T {
        self.value.as_mut().expect("held until `into_inner` consumes it")
    }
}

impl<T> Drop for Guarded<T> {
    fn drop(&mut self) {
        let value = self.value.take();
        // Whoever wants to hear of the panic takes the value out and drops it in a `guard`.
        let _ = guard(|| drop(value));
    }
}

#[cfg(test)]
mod tests {
    use std::panic::panic_any;

    use super::*;

    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic_any(Self);
        }
    }

    #[test]
    fn a_panic_becomes_its_message() {
        assert_eq!(guard(|| 7), Ok(7));
        assert_eq!(guard(|| panic!("plain")), Err::<(), _>("plain".to_owned()));
        assert_eq!(guard(|| panic!("with {}", 7)), Err::<(), _>("with 7".to_owned()));
    }

    #[test]
    fn a_payload_that_panics_when_dropped_is_contained() {
        assert_eq!(guard(|| panic_any(Bomb)), Err::<(), _>("a panic without a message".to_owned()));
    }

    #[test]
    fn a_guarded_value_that_panics_when_dropped_is_contained_while_unwinding() {
        let unwound = guard(|| {
            let _held = Guarded::new(Bomb);
            panic!("first");
        });
        assert_eq!(unwound, Err::<(), _>("first".to_owned()));
    }
}
