//! What whoever operates an installation relies on: backups that come back whole, notices that arrive once, alerts that
//! end.

mod common;

#[path = "operate/alerts.rs"]
mod alerts;
#[path = "operate/backups.rs"]
mod backups;
#[path = "operate/mornings.rs"]
mod mornings;
#[path = "operate/notices.rs"]
mod notices;
#[path = "operate/receiver.rs"]
mod receiver;
#[path = "operate/teller.rs"]
mod teller;
