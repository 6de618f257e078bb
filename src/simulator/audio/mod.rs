//! Sound where the simulator carries any: forms of samples, speech that can be understood, and an ear for it.
//!
//! Nobody speaks here. A text becomes tones, one for each bit, as a modem sends them; whoever hears the tones
//! has the text again. So what a call carries is real audio, and every sample that is lost, doubled or bent on
//! its way is a letter that is wrong at its end.

pub mod ear;
pub mod law;
pub mod modem;

#[cfg(test)]
mod tests;
