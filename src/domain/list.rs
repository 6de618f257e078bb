//! How a list of contacts is to be read: what a campaign's `[list]` says, or what was found by looking.

use std::collections::BTreeMap;

/// Rows of one list when nobody says.
pub const ROWS_MAX: u64 = 2_000_000;
/// The most that a campaign may ask for.
pub const ROWS_MAX_MAX: u32 = 20_000_000;
/// Size of one list in MiB, unpacked, when nobody says.
pub const SIZE_MIB_MAX: u64 = 512;
/// The most that a campaign may ask for.
pub const SIZE_MIB_MAX_MAX: u32 = 16_384;

/// Further back nobody looks for a number in other campaigns.
pub const ELSEWHERE_DAYS_MAX: u32 = 3_650;

/// The shape of a file. As a wish, what is absent is found by looking; as a finding, what is absent does not
/// apply (a workbook has no delimiter).
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Dialect {
    /// `csv` or `xlsx`; only found, never asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<&'static str>,
    /// Packed by gzip; only found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gzip: Option<bool>,
    /// Name of a text encoding (WHATWG), as in `windows-1251`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<char>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quote: Option<Quote>,
    /// Does the first row name the columns?
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<bool>,
    /// The line of the header; only found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header_line: Option<u64>,
    /// Sheet of a workbook; the first visible one when nobody says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
}

/// What stands around a cell that holds a delimiter or a line break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Quote {
    Double,
    Single,
    None,
}

impl Quote {
    pub const ALL: [Quote; 3] = [Quote::Double, Quote::Single, Quote::None];

    pub fn as_str(self) -> &'static str {
        match self {
            Quote::Double => "double",
            Quote::Single => "single",
            Quote::None => "none",
        }
    }
}

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ValueKind {
    Text,
    /// Digits, with a sign, and nothing that a spreadsheet would cut off.
    Integer,
    /// With decimal point or comma, thousands apart by spaces.
    Number,
    /// `2026-05-01` or `01.05.2026`.
    Date,
    /// `yes`, `no`, `true`, `false`, `да`, `нет`.
    Boolean,
}

impl ValueKind {
    pub const ALL: [ValueKind; 5] =
        [ValueKind::Text, ValueKind::Integer, ValueKind::Number, ValueKind::Date, ValueKind::Boolean];

    pub fn as_str(self) -> &'static str {
        match self {
            ValueKind::Text => "text",
            ValueKind::Integer => "integer",
            ValueKind::Number => "number",
            ValueKind::Date => "date",
            ValueKind::Boolean => "boolean",
        }
    }
}

/// What kind of line a number is, as its country's numbering plan says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberKind {
    Mobile,
    Fixed,
    /// Countries whose plan does not tell them apart.
    FixedOrMobile,
    TollFree,
    Premium,
    SharedCost,
    Voip,
    Personal,
    Pager,
    /// One number for a whole company.
    Company,
    Voicemail,
    /// A service code of few digits.
    Short,
    /// Kept for examples and tests.
    Example,
    Unknown,
}

impl NumberKind {
    pub const ALL: [NumberKind; 14] = [
        NumberKind::Mobile,
        NumberKind::Fixed,
        NumberKind::FixedOrMobile,
        NumberKind::TollFree,
        NumberKind::Premium,
        NumberKind::SharedCost,
        NumberKind::Voip,
        NumberKind::Personal,
        NumberKind::Pager,
        NumberKind::Company,
        NumberKind::Voicemail,
        NumberKind::Short,
        NumberKind::Example,
        NumberKind::Unknown,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            NumberKind::Mobile => "mobile",
            NumberKind::Fixed => "fixed",
            NumberKind::FixedOrMobile => "fixed_or_mobile",
            NumberKind::TollFree => "toll_free",
            NumberKind::Premium => "premium",
            NumberKind::SharedCost => "shared_cost",
            NumberKind::Voip => "voip",
            NumberKind::Personal => "personal",
            NumberKind::Pager => "pager",
            NumberKind::Company => "company",
            NumberKind::Voicemail => "voicemail",
            NumberKind::Short => "short",
            NumberKind::Example => "example",
            NumberKind::Unknown => "unknown",
        }
    }
}

/// Numbers that are refused unless a campaign allows them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    pub premium: bool,
    /// Service codes that can be written in international form; emergency numbers never are.
    pub short: bool,
}

/// `[list]`: how a campaign's lists are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListRules {
    pub dialect: Dialect,
    /// Our name of a column (`phone`, `name`, …) → its header in the file, or its place, counted from 1.
    pub columns: BTreeMap<String, String>,
    /// A variable's name → what its values must be.
    pub types: BTreeMap<String, ValueKind>,
    pub allow: Allowed,
    pub rows_max: u64,
    /// Unpacked.
    pub size_mib_max: u64,
    pub elsewhere: Elsewhere,
}

/// Numbers that another campaign has in a list of the last days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Elsewhere {
    /// 0: nobody looks.
    pub days: u32,
    /// They are called all the same, and only told.
    pub call: bool,
}

impl Default for ListRules {
    fn default() -> Self {
        ListRules {
            dialect: Dialect::default(),
            columns: BTreeMap::new(),
            types: BTreeMap::new(),
            allow: Allowed::default(),
            rows_max: ROWS_MAX,
            size_mib_max: SIZE_MIB_MAX,
            elsewhere: Elsewhere::default(),
        }
    }
}

impl ListRules {
    /// The same rules, but for what somebody asks for this one file.
    pub fn with(mut self, wish: Dialect) -> Self {
        let Dialect { encoding, delimiter, quote, header, sheet, .. } = wish;
        let own = &mut self.dialect;
        own.encoding = encoding.or(own.encoding.take());
        own.delimiter = delimiter.or(own.delimiter);
        own.quote = quote.or(own.quote);
        own.header = header.or(own.header);
        own.sheet = sheet.or(own.sheet.take());
        self
    }
}
