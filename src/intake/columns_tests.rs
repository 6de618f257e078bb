//! Headers as people write them.

use super::*;
use crate::domain::list::Quote;
use crate::intake::list::records::{Marks, of_text};

fn head(text: &str) -> Vec<Record> {
    of_text(text, Marks { delimiter: b';', quote: Quote::Double }, 100)
}

fn found(text: &str, rules: &ListRules) -> Result<Layout, IntakeError> {
    layout(&head(text), rules, phone::region("RU").unwrap())
}

fn shown(columns: &[Column]) -> String {
    let shown = columns.iter().map(|c| match &c.role {
        Role::Variable(name) => format!("{{{name}}}"),
        Role::Alternate(ordinal) => format!("+{ordinal}"),
        role => format!("{role:?}").to_lowercase(),
    });
    shown.collect::<Vec<_>>().join(" ")
}

fn roles_of(headers: &str) -> String {
    found(headers, &ListRules::default()).map_or_else(|e| e.to_string(), |found| shown(&found.columns))
}

#[test]
fn headers_in_two_languages() {
    for (headers, roles) in [
        ("phone;name;timezone;mode;external_id;City", "phone name timezone mode externalid {city}"),
        ("Имя;Номер телефона;Часовой пояс;Сценарий", "name phone timezone mode"),
        ("ФИО; ТЕЛЕФОН ;Город;Номер", "name phone {город} {номер}"),
        ("phone;consent_kind;Дата согласия;consent_source", "phone consentkind consentat consentsource"),
        ("phone;not_before;Не позже;Приоритет", "phone notbefore notafter priority"),
        ("номер;номер договора", "phone {номер_договора}"),
        ("Mobile;scenario", "phone mode"),
        ("phone;city;city;", "phone {city} {city_2} {column_4}"),
        ("phone;name;имя", "phone name {имя}"),
        ("phone;phone2;Phone 3;phone_10", "phone +2 +3 +10"),
        ("Телефон;Телефон 2;тел2;мобильный_3", "phone +2 {тел2} +3"),
        ("phone;phone1;phone11;phone02x;city2;2", "phone {phone1} {phone11} {phone02x} {city2} {2}"),
        ("phone1;phone2;name", "phone +2 name"),
        ("Name;Phone 1 - Value;Phone 2 - Value", "name phone +2"),
        ("phone;phone;phone2", "phone +3 +2"),
        ("phone;mode;scenario", "line 1: two columns say how to call (mode and scenario); keep one"),
        (
            "city;age",
            "line 1: no phone column among: city, age; name one of the columns phone, mobile, телефон or номер, \
             or say which in list.columns.phone",
        ),
    ] {
        assert_eq!(roles_of(headers), roles, "{headers:?}");
    }
}

#[test]
fn phones_are_found_by_what_stands_there() {
    for (text, roles, header, notices) in [
        ("Контакт;Город\n+79990000001;Омск\n", "phone {город}", Some(0), 1),
        ("79990000001;Омск\n79990000002;Орёл\n", "phone {column_2}", None, 1),
        ("Омск;8 999 000-00-01\nОрёл;8 999 000-00-02\n", "{column_1} phone", None, 1),
        // an order's number is none to call
        ("Номер;Связь\n17;+79990000001\n18;+79990000002\n", "{номер} phone", Some(0), 1),
        ("Номер;Связь\n89990000001;x\n", "phone {связь}", Some(0), 0),
        ("Клиенты на май\n\nТелефон;Имя\n+79990000001;Анна\n", "phone name", Some(1), 1),
        // two columns of numbers: one is called, the other is told of
        ("a;b\n+79990000001;+79990000002\n", "phone {b}", Some(0), 2),
    ] {
        let found = found(text, &ListRules::default()).unwrap();
        assert_eq!((shown(&found.columns).as_str(), found.header), (roles, header), "{text}");
        assert_eq!(found.notices.len(), notices, "{text}: {:?}", found.notices);
    }
}

#[test]
fn columns_can_be_given() {
    let rules = |pairs: &[(&str, &str)], header: Option<bool>| {
        let columns = pairs.iter().map(|(name, header)| ((*name).to_owned(), (*header).to_owned())).collect();
        let mut rules = ListRules { columns, ..ListRules::default() };
        rules.dialect.header = header;
        rules
    };
    let text = "Клиент;Кому;Телефон;Долг\nАнна;+79990000001;+79990000002;100\n";
    for (pairs, header, roles) in [
        (&[("phone", "Кому"), ("name", "клиент")][..], None, "name phone {телефон} {долг}"),
        (&[("phone", "2"), ("phone2", "3"), ("debt", "Долг")], None, "{клиент} phone +2 {debt}"),
        (&[("phone", "нет")], None, "line 1: no column `нет` (list.columns.phone) among: Клиент, Кому, Телефон, Долг"),
        (&[("phone", "2"), ("name", "Кому")], None, "line 1: column `Кому` is given two meanings; keep one"),
        (&[("phone", "3")], Some(false), "{column_1} {column_2} phone {column_4}"),
    ] {
        let told = found(text, &rules(pairs, header)).map_or_else(|e| e.to_string(), |found| shown(&found.columns));
        assert_eq!(told, roles, "{pairs:?}");
    }
}
