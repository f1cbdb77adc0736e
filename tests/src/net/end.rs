//! A sign to stop in; given at the end of a scope, however that comes.

use std::sync::atomic::{AtomicBool, Ordering};

/// Gives the sign when dropped, even where somebody panics: a scope waits for its threads.
#[derive(Debug)]
pub struct StopAtEnd<'a>(pub &'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
