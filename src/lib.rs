//! A contact's way through this program.
//!
//! `intake` reads it, `queue` wakes the `dialer`, which plans an attempt and dials it; `voximplant`
//! starts the session and understands what it reports, `dialogue` answers it in mid-call (through `chat` where a model does), `dialer`
//! settles the attempt, `report` counts it. What should happen at each step is decided in `domain`,
//! which does nothing.

pub mod domain;

pub mod intake;

pub mod store;

pub mod voximplant;

pub mod dialer;

pub mod dialogue;

pub mod chat;

pub mod media;

pub mod queue;

pub mod report;

pub mod notify;

pub mod http;

pub mod page;

pub mod simulator;

pub mod app;

pub mod demo;

pub mod doctor;

pub mod drill;

pub mod rehearse;

// What the rooms stand on: the environment, the clock.
pub mod clock;
pub mod config;

// What happened since the process began.
pub mod measures;

// Where a test kills the process.
pub mod fail;
