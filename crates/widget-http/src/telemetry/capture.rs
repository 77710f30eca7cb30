//! The lines that a test logs on its thread.

use std::{
    io,
    sync::{Arc, Mutex},
};

use tracing::{Dispatch, subscriber::DefaultGuard};

/// Keeps lines as long as it lives.
pub(crate) struct Lines {
    text: Writer,
    _subscriber: DefaultGuard,
    /// With only one subscriber in the process, a line that another thread is the first to reach
    /// would be off for all.
    _second: Dispatch,
}

impl Lines {
    pub(crate) fn capture() -> Self {
        let text = Writer::default();
        let writer = text.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        Self {
            text,
            _second: Dispatch::new(tracing_subscriber::registry()),
            _subscriber: tracing::subscriber::set_default(subscriber),
        }
    }

    /// What was logged since the last call.
    pub(crate) fn take(&self) -> String {
        let mut text = self.text.0.lock().expect("no test panics with it");
        String::from_utf8(std::mem::take(&mut *text)).expect("lines are text")
    }
}

#[derive(Clone, Default)]
struct Writer(Arc<Mutex<Vec<u8>>>);

impl io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut text = self.0.lock().expect("no test panics with it");
        text.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
