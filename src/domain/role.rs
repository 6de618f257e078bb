//! What a key may do: look, run campaigns, or rule the installation.

use std::fmt;
use std::str::FromStr;

/// The later one may do whatever the earlier may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Reads; numbers of people are masked.
    Viewer,
    /// Imports, dials, pauses, listens.
    Operator,
    /// Keys, the audit, erasure.
    Admin,
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is no role; there are viewer, operator and admin")]
pub struct NoRole(String);

impl Role {
    pub const ALL: [Role; 3] = [Role::Viewer, Role::Operator, Role::Admin];

    pub fn as_str(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Operator => "operator",
            Role::Admin => "admin",
        }
    }

    pub fn may(self, least: Role) -> bool {
        self >= least
    }
}

impl FromStr for Role {
    type Err = NoRole;
    fn from_str(text: &str) -> Result<Self, NoRole> {
        let known = Role::ALL.into_iter().find(|role| role.as_str() == text);
        known.ok_or_else(|| NoRole(text.chars().take(40).collect()))
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for Role {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_what_the_ones_before_it_may() {
        for (at, role) in Role::ALL.into_iter().enumerate() {
            assert_eq!(role.as_str().parse(), Ok(role));
            for (other, least) in Role::ALL.into_iter().enumerate() {
                assert_eq!(role.may(least), at >= other, "{role} {least}");
            }
        }
        assert!("root".parse::<Role>().is_err());
    }
}
