//! Who sits at the terminal: the operating system's name of the user, for the audit.

use super::Failure;
use halo::domain::Timestamp;
use halo::store::{AuditOrder, Store, Who};
use serde_json::Value;

/// Where the system's names stand; a user of a directory elsewhere may be missing there.
const NAMES: &str = "/etc/passwd";

/// `terminal: anna`, as the operating system knows whoever started this command.
fn at_the_terminal() -> Who {
    Who::at_the_terminal(&user())
}

/// A line of the audit that goes with a change, in its own transaction.
pub fn line(store: &Store, action: &'static str, now: Timestamp) -> AuditOrder {
    AuditOrder::new(store, at_the_terminal(), action, now)
}

/// A line for what was done a moment ago: what it is about, by its kind and id, and what more is to be said.
pub async fn note(
    store: &Store,
    (action, now): (&'static str, Timestamp),
    (kind, id): (&str, impl ToString),
    detail: Value,
) -> Result<(), Failure> {
    Ok(store.audit(line(store, action, now).about(kind, id).saying(detail)).await?)
}

/// By the process's owner, whom no variable can rename; by the environment where the system does not say. Whoever came
/// by `sudo` is named, too.
fn user() -> String {
    let said = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let name = owner().or_else(|| said("USER")).or_else(|| said("LOGNAME")).unwrap_or_else(|| "unknown".into());
    match said("SUDO_USER") {
        Some(before) if before != name => format!("{name}, by sudo from {before}"),
        _ => name,
    }
}

#[cfg(target_os = "linux")]
fn owner() -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let uid = std::fs::metadata("/proc/self").ok()?.uid();
    let names = std::fs::read_to_string(NAMES).unwrap_or_default();
    Some(name_of(uid, &names).unwrap_or_else(|| format!("uid {uid}")))
}

#[cfg(not(target_os = "linux"))]
fn owner() -> Option<String> {
    None
}

/// `name:password:uid:…`
fn name_of(uid: u32, names: &str) -> Option<String> {
    names.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_the_number() {
        let names = "root:x:0:0:root:/root:/bin/sh\n\nbroken\nanna:x:1000:1000::/home/anna:/bin/sh\n";
        assert_eq!(name_of(1000, names).as_deref(), Some("anna"));
        assert_eq!(name_of(0, names).as_deref(), Some("root"));
        assert_eq!(name_of(7, names), None);
    }
}
