//! A hub on threads of its own, so that a test may block.

use std::{sync::mpsc, thread::JoinHandle};

use actix_multiplex::{Hub, ObjectId, testing::HeldUp};
use tokio::sync::oneshot;

/// A hub with two arbiters, stopped when dropped.
pub(crate) struct Place {
    hub: Hub,
    pub(crate) address: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Place {
    pub(crate) fn new() -> Self {
        let (stop, stopped) = oneshot::channel();
        let (started, starting) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            actix::System::new().block_on(async move {
                let hub = Hub::builder().arbiters(2).start().expect("a system is here");
                let address = hub.listen("tcp://127.0.0.1:0").await.expect("a port is free");
                started.send((hub.clone(), address)).expect("the test waits");
                let _dropped = stopped.await;
                hub.stop().await;
            });
        });
        let (hub, address) = starting.recv().expect("the hub starts");
        Self { hub, address, stop: Some(stop), thread: Some(thread) }
    }

    /// Holds up the arbiter of an object until what is returned is dropped.
    pub(crate) fn hold_up(&self, object: ObjectId) -> HeldUp {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(self.hub.hold_up(object)).expect("the object is there")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(std::thread::panicking() || matches!(ended, Some(Ok(()))), "the hub's thread");
    }
}
