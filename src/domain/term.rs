//! From when and until when a contact may be called at all, as its list says.

use super::Timestamp;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Term {
    pub not_before: Option<Timestamp>,
    /// From this moment on nobody is called.
    pub not_after: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InTerm {
    Yes,
    /// It opens then.
    NotYet(Timestamp),
    Over,
}

impl Term {
    pub fn at(self, now: Timestamp) -> InTerm {
        match (self.not_before, self.not_after) {
            (_, Some(until)) if until <= now => InTerm::Over,
            (Some(from), _) if from > now => InTerm::NotYet(from),
            _ => InTerm::Yes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_has_its_first_moment_and_not_its_last() {
        let term = |from: Option<i64>, until: Option<i64>| Term {
            not_before: from.map(Timestamp),
            not_after: until.map(Timestamp),
        };
        for (term, now, found) in [
            (Term::default(), 5, InTerm::Yes),
            (term(Some(5), None), 4, InTerm::NotYet(Timestamp(5))),
            (term(Some(5), None), 5, InTerm::Yes),
            (term(None, Some(5)), 4, InTerm::Yes),
            (term(None, Some(5)), 5, InTerm::Over),
            (term(Some(3), Some(5)), 9, InTerm::Over),
        ] {
            assert_eq!(term.at(Timestamp(now)), found, "{term:?} at {now}");
        }
    }
}
