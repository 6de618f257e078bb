//! Cells on their way into a spreadsheet, which would run some of them.

/// A cell that a spreadsheet would run as a formula gets an apostrophe; a plain number keeps its plus. Whoever reads the
/// list again ([`super::values::plain`]) takes the apostrophe away.
pub fn guard(cell: &str) -> String {
    let number = cell.strip_prefix(['+', '-']).is_some_and(|rest| {
        !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '(' | ')' | '-'))
    });
    if !number && cell.starts_with(RUN) { format!("'{cell}") } else { cell.to_owned() }
}

/// What a formula begins with; the wide ones are those of East Asian keyboards.
pub const RUN: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::values::plain;

    #[test]
    fn formulas_are_defused_and_numbers_stay() {
        for (cell, safe) in [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-2+3", "'-2+3"),
            ("-", "'-"),
            ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
            ("＝1+1", "'＝1+1"),
            ("+7 (999) 000-00-01", "+7 (999) 000-00-01"),
            ("+79990000001", "+79990000001"),
            ("-12", "-12"),
            ("Анна", "Анна"),
            ("'=1+1", "'=1+1"),
            ("", ""),
        ] {
            assert_eq!(guard(cell), safe);
            assert_eq!(plain(&guard(cell)), plain(cell), "read again, it is the same");
        }
    }
}
