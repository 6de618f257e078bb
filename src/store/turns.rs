//! Whose turn it is: a seam for tests alone.
//!
//! A store that was given turns asks for one before each of its acts, and waits until it has it. So a scheduler lets
//! others act between two acts of one caller, in an order of its own, or never lets him act again. Every other store
//! acts at once.

use super::Store;
use futures::future::BoxFuture;
use std::sync::Arc;

pub trait Turns: Send + Sync {
    /// Ready when the next act may begin.
    fn turn(&self) -> BoxFuture<'static, ()>;
}

impl Store {
    /// The same store, for a caller who acts when it is his turn.
    pub fn in_turns(&self, turns: Arc<dyn Turns>) -> Store {
        Store { turns: Some(turns), ..self.clone() }
    }

    pub(super) async fn turn(&self) {
        if let Some(turns) = &self.turns {
            turns.turn().await;
        }
    }
}
