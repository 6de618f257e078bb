//! A list as people have them: one million rows, one in twenty of them bad, three in a hundred there already.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

const ZONES: [&str; 6] =
    ["Europe/Moscow", "Europe/Samara", "Asia/Yekaterinburg", "Asia/Omsk", "Asia/Krasnoyarsk", "Asia/Vladivostok"];
const CITIES: [&str; 6] = ["Тверь", "Самара", "Пермь", "Омск", "Абакан", "Находка"];
const PLANS: [&str; 4] = ["basic", "family", "business", "old"];
const BAD: [&str; 5] = ["12", "не помню", "7,999E+10", "+7 999", "123456789012345678"];

/// The n-th of numbers that are all different and in no order: an odd factor turns 2^26 places around.
fn number(n: u64) -> u64 {
    const PLACES: u64 = 1 << 26;
    // Russian mobile numbers, of which every one is somebody's to give out.
    79_100_000_000 + n.wrapping_mul(0x2545_F491_4F6C_DD1D) % PLACES
}

pub struct Counts {
    pub rows: u64,
    pub bad: u64,
    pub doubled: u64,
}

pub fn write(path: &Path, rows: u64) -> io::Result<Counts> {
    let mut to = BufWriter::with_capacity(1 << 20, File::create(path)?);
    writeln!(to, "phone,name,timezone,city,debt,plan")?;
    let mut counts = Counts { rows, bad: 0, doubled: 0 };
    for n in 0..rows {
        let (zone, city, plan) = (ZONES[(n % 6) as usize], CITIES[(n % 6) as usize], PLANS[(n % 4) as usize]);
        let debt = n % 90_000 + 100;
        match n % 100 {
            7 | 27 | 47 | 67 | 87 => {
                counts.bad += 1;
                writeln!(to, "\"{}\",Имя {n},{zone},{city},{debt},{plan}", BAD[(n / 100 % 5) as usize])?;
            }
            13 | 43 | 73 if n > 1000 => {
                counts.doubled += 1;
                writeln!(to, "+{},Имя {n},{zone},{city},{debt},{plan}", number(n - 1000 + 1))?;
            }
            _ if n % 3 == 0 => writeln!(to, "8{},Имя {n},{zone},{city},{debt},{plan}", &number(n).to_string()[1..])?,
            _ => writeln!(to, "+{},Имя {n},{zone},{city},{debt},{plan}", number(n))?,
        }
    }
    to.flush()?;
    Ok(counts)
}
