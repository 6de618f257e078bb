//! The scenarios of `voximplant/`, held from outside: a type checker reads them, the simulator runs them, a
//! server hears what they post.

mod harness;

#[path = "scenarios/contract.rs"]
mod contract;
#[path = "scenarios/media.rs"]
mod media;
#[path = "scenarios/sentences.rs"]
mod sentences;
#[path = "scenarios/stage.rs"]
mod stage;
#[path = "scenarios/talk.rs"]
mod talk;
#[path = "scenarios/types.rs"]
mod types;
#[path = "scenarios/unkind.rs"]
mod unkind;
