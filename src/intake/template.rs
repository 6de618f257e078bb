//! A list to begin with: every column that we know, one example row, nothing that must be there but the phone.

/// `phone,name,…`, for programs and for spreadsheets that speak English.
const ENGLISH: &str = "phone,phone2,name,timezone,mode,external_id,priority,not_before,not_after,consent_kind,consent_at,consent_source,city\n\
     +79990000001,+79990000002,Anna,Europe/Moscow,,C-1,,,,written,2026-05-01,form 17,Orel\n";

/// A Russian Excel opens it as it should: semicolons, a byte-order mark, Windows line ends.
const RUSSIAN: &str = "\u{feff}Телефон;Телефон 2;Имя;Часовой пояс;Режим;Внешний ID;Приоритет;Не раньше;Не позже;\
     Вид согласия;Дата согласия;Источник согласия;Город\r\n\
     8 (999) 000-00-01;8 (999) 000-00-02;Анна;Europe/Moscow;;C-1;;;;письменное;01.05.2026;анкета 17;Орёл\r\n";

/// In Russian, or else in English.
pub fn template(language: &str) -> &'static str {
    if language.to_lowercase().starts_with("ru") { RUSSIAN } else { ENGLISH }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::columns::Role;
    use crate::intake::read;

    #[test]
    fn both_templates_are_read_as_they_are_meant() {
        for language in ["ru", "en"] {
            let list = read(template(language).as_bytes(), "RU", &["dialog".parse().unwrap()].into()).unwrap();
            assert_eq!((list.rows, list.accepted.len(), list.notices.len()), (1, 1, 0), "{language}");
            let variables = list.columns.iter().filter(|c| matches!(c.role, Role::Variable(_))).count();
            assert_eq!(variables, 1, "every other column is a known one: {:?}", list.columns);
            let row = &list.accepted[0];
            assert_eq!((row.number.as_str(), row.alternates.len()), ("+79990000001", 1));
            assert!(row.consent.kind.is_some() && row.consent.at.is_some() && row.consent.source.is_some());
        }
    }
}
