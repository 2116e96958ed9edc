//! One thread, and a clock that goes on when nothing else is to be done.

use std::time::Duration;

use tokio::{
    runtime::{Builder, Runtime},
    task::{JoinHandle, LocalSet},
    time::sleep,
};

/// Where everything of a benchmark runs.
pub(crate) struct Place {
    runtime: Runtime,
    tasks: LocalSet,
}

impl Place {
    pub(crate) fn new() -> Self {
        let mut runtime = Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().expect("a runtime");
        Self { runtime, tasks: LocalSet::new() }
    }

    pub(crate) fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.tasks.block_on(&self.runtime, future)
    }

    /// Begins with this, as far as it comes by itself.
    pub(crate) fn begin<T: 'static>(
        &self,
        future: impl Future<Output = T> + 'static,
    ) -> JoinHandle<T> {
        let task = self.tasks.spawn_local(future);
        self.settle();
        task
    }

    /// Everything that can be done is done.
    pub(crate) fn settle(&self) {
        self.run(async { sleep(Duration::from_millis(1)).await });
    }
}
