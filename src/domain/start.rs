//! Leave to start a session.

use super::{AttemptId, Mode, Token};

/// A start whose claim is durable and whose slot is now. It knows no number: that comes with the grant.
#[derive(Clone, Debug)]
pub struct StartOrder {
    pub attempt: AttemptId,
    pub token: Token,
    pub mode: Mode,
}
