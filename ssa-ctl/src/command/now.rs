//! What is answered by, shared by those who answer, and another in its place out.

use std::sync::{Arc, PoisonError, RwLock};

/// What is in force now. Whoever has begun with what was before ends with it.
pub(super) struct Now<T>(Arc<RwLock<Arc<T>>>);

impl<T> Now<T> {
    pub(super) fn new(first: T) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(first))))
    }

    /// Another one, from now on.
    pub(super) fn replace(&self, next: T) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
    }

    /// The one that is in force.
    pub(super) fn get(&self) -> Arc<T> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The same one, for somebody else.
impl<T> Clone for Now<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}
