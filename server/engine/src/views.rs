//! What is made once for all viewers of equal scope.

use crate::observatory::Published;
use naru_domain::{actor::Scope, view::view};
use naru_view::{View, version::Version};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Scopes kept at once. Scopes are few (sets of readable namespaces), so this bounds memory against oddities, not against use.
const KEPT: usize = 64;

/// Views of the latest snapshot, by scope.
#[derive(Default)]
pub(crate) struct Views {
    made: Mutex<HashMap<Scope, Arc<View>>>,
}

impl Views {
    /// The view of this scope, made now if nobody has asked for it since the snapshot was published.
    pub(crate) fn of(&self, published: &Published, scope: &Scope) -> Arc<View> {
        let version: Version = published.snapshot.version;
        // Held while making it: of many viewers who come at once, one makes the view and the others wait a few milliseconds for it.
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(view) = made.get(scope).filter(|view| view.version == version) {
            return Arc::clone(view);
        }
        if made.len() >= KEPT {
            made.retain(|_, view| view.version == version);
        }
        let view = Arc::new(view(&published.snapshot, scope, &published.layout));
        made.insert(scope.clone(), Arc::clone(&view));
        view
    }
}

/// What is made of one judgement for each scope that asks, once.
pub(crate) struct PerScope<T: ?Sized>(Mutex<HashMap<Scope, Arc<T>>>);

impl<T: ?Sized> Default for PerScope<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: ?Sized> PerScope<T> {
    /// Made now if nobody of this scope has asked before.
    pub(crate) fn of(&self, scope: &Scope, make: impl FnOnce() -> Arc<T>) -> Arc<T> {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(it) = made.get(scope) {
            return Arc::clone(it);
        }
        let it = make();
        if made.len() < KEPT {
            made.insert(scope.clone(), Arc::clone(&it));
        }
        it
    }
}
