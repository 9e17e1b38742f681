//! The header of a file: a Fortran namelist.

use super::lines::{Line, lines, shortened, without_comment};
use crate::error::{Error, Result};

/// What the header says about the integrals.
#[derive(Clone, Debug)]
pub(super) struct Header {
    pub(super) n_orbitals: usize,
    pub(super) n_electrons: Option<usize>,
    pub(super) ms2: Option<i64>,
    pub(super) flags: Flags,
    /// The angular momentum of each orbital about the axis, if one is not 0.
    pub(super) lz: Option<Runs>,
}

/// The switches that change what integrals mean.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flags {
    /// IUHF: blocks of integrals by spin.
    pub(super) iuhf: bool,
    /// UHF: spin orbitals, up and down in turn, or blocks.
    pub(super) uhf: bool,
    /// TREL or GHF: general spin orbitals.
    pub(super) spinors: bool,
    /// IGENERAL: every order of a two-electron integral is listed.
    pub(super) general: bool,
}

/// A list in which values repeat: each value with the number of items up to its last.
#[derive(Clone, Debug)]
pub(super) struct Runs(Vec<(usize, i64)>);

impl Runs {
    /// The value of an item, 0 beyond the last.
    pub(super) fn get(&self, item: usize) -> i64 {
        let run = self.0.partition_point(|&(end, _)| end <= item);
        self.0.get(run).map_or(0, |&(_, value)| value)
    }
}

/// Reads the header. Returns it with the line on which it ends, cut to what follows the end, and the number of
/// lines read.
pub(super) fn read(text: &str) -> Result<(Header, Line<'_>)> {
    let mut tokens = Vec::new();
    let mut begun = false;
    for line in lines(text) {
        let mut rest = line.text;
        if !begun {
            rest = without_comment(rest).trim_start();
            if rest.is_empty() {
                continue;
            }
            rest = begin(line)?;
            begun = true;
        }
        if let Some(rest) = tokenize(Line { text: rest, ..line }, &mut tokens)? {
            let header = Header::new(entries(&tokens)?)?;
            return Ok((header, Line { text: rest, ..line }));
        }
    }
    let reason = if begun {
        "the header has no end; expected &END or / after it"
    } else {
        "an FCIDUMP file begins with &FCI"
    };
    Err(Error::Parse { text: shortened(text), reason: reason.into() })
}

/// What follows `&FCI`.
fn begin<'a>(line: Line<'a>) -> Result<&'a str> {
    let text = line.text.trim_start();
    let is_name =
        text.get(..4).is_some_and(|name| ["&FCI", "$FCI"].contains(&name.to_ascii_uppercase().as_str()));
    let rest = text.get(4..).filter(|rest| is_name && !rest.starts_with(|c: char| c.is_alphanumeric()));
    rest.ok_or_else(|| line.error("an FCIDUMP file begins with &FCI"))
}

#[derive(Clone, Copy, Debug)]
enum Token<'a> {
    Word(Line<'a>),
    Equals(Line<'a>),
}

/// Adds the tokens of a line. Returns what follows the end of the namelist, if that is on the line.
fn tokenize<'a>(line: Line<'a>, tokens: &mut Vec<Token<'a>>) -> Result<Option<&'a str>> {
    let mut rest = line.text;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        let Some(first) = rest.chars().next() else { return Ok(None) };
        let token = |text| Line { text, ..line };
        match first {
            '!' | '#' => return Ok(None),
            '=' => {
                tokens.push(Token::Equals(token("=")));
                rest = &rest[1..];
            }
            '/' => {
                let after = &rest[1..];
                return Ok(Some(if is_end(rest) { "" } else { after }));
            }
            '&' | '$' => {
                let after = &rest[1..];
                let is_end = after.get(..3).is_some_and(|end| end.eq_ignore_ascii_case("end"));
                let after = if is_end { &after[3..] } else { after };
                if after.starts_with(|c: char| c.is_alphanumeric()) {
                    return Err(line.error(format!("{first} in the header; expected &END or / after it")));
                }
                return Ok(Some(after));
            }
            '\'' | '"' => {
                let Some(end) = rest[1..].find(first) else {
                    return Err(line.error(format!("a text without its closing {first}")));
                };
                tokens.push(Token::Word(token(&rest[..end + 2])));
                rest = &rest[end + 2..];
            }
            _ => {
                let end =
                    rest.find(|c: char| c.is_whitespace() || "=,/!#&$'\"".contains(c)).unwrap_or(rest.len());
                tokens.push(Token::Word(token(&rest[..end])));
                rest = &rest[end..];
            }
        }
    }
}

/// Whether a line holds nothing but the end of a namelist, in any spelling.
pub(super) fn is_end(line: &str) -> bool {
    let line = line.trim();
    ["/", "&END", "$END", "/END"].iter().any(|end| line.eq_ignore_ascii_case(end))
}

/// A key with its values.
struct Entry<'a> {
    key: String,
    line: Line<'a>,
    values: Vec<&'a str>,
}

impl Entry<'_> {
    fn error(&self, reason: String) -> Error {
        let text = format!("{} = {}", self.key, self.values.join(", "));
        Line { text: &text, number: self.line.number }.error(reason)
    }

    /// The only value, `None` if there is none.
    fn one(&self) -> Result<Option<&str>> {
        match self.values.as_slice() {
            [] => Ok(None),
            [value] => Ok(Some(value)),
            several => Err(self.error(format!("{} has {} values; expected one", self.key, several.len()))),
        }
    }

    fn number(&self) -> Result<Option<i64>> {
        let Some(value) = self.one()? else { return Ok(None) };
        let number = value
            .parse()
            .map_err(|_| self.error(format!("{} is {value:?}; expected a whole number", self.key)))?;
        Ok(Some(number))
    }

    fn count(&self) -> Result<Option<usize>> {
        // Numbers that only a usize holds are counts, too.
        if let Some(count) = self.one()?.and_then(|value| value.parse().ok()) {
            return Ok(Some(count));
        }
        let Some(number) = self.number()? else { return Ok(None) };
        Err(self.error(format!("{} is {number}; expected a whole number, 0 or more", self.key)))
    }

    fn is_on(&self) -> Result<bool> {
        let Some(value) = self.one()? else { return Ok(false) };
        let error = || self.error(format!("{} is {value:?}; expected .TRUE., .FALSE. or a number", self.key));
        if let Ok(number) = value.parse::<i64>() {
            return Ok(number != 0);
        }
        // Fortran looks at the first letter.
        match value.trim_start_matches('.').chars().next() {
            Some('T' | 't') => Ok(true),
            Some('F' | 'f') => Ok(false),
            _ => Err(error()),
        }
    }

    /// A list of whole numbers, `None` if all are 0.
    fn runs(&self, n: usize) -> Result<Option<Runs>> {
        let mut runs = Vec::new();
        let mut end: usize = 0;
        for value in &self.values {
            let (times, number) =
                value.split_once('*').map_or((Ok(1), *value), |(times, value)| (times.parse(), value));
            let (Ok(times), Ok(number)) = (times, number.parse()) else {
                return Err(self.error(format!("{} has {value:?}; expected whole numbers", self.key)));
            };
            end = end.saturating_add(times);
            runs.push((end, number));
        }
        if runs.iter().all(|&(_, number)| number == 0) {
            return Ok(None);
        }
        if end != n {
            return Err(self.error(format!("{} has {end} values; expected {n}, one an orbital", self.key)));
        }
        Ok(Some(Runs(runs)))
    }
}

fn entries<'a>(tokens: &[Token<'a>]) -> Result<Vec<Entry<'a>>> {
    let mut entries: Vec<Entry<'a>> = Vec::new();
    for (k, &token) in tokens.iter().enumerate() {
        let next_is_equals = matches!(tokens.get(k + 1), Some(Token::Equals(_)));
        match token {
            Token::Word(line) if next_is_equals => {
                entries.push(Entry { key: line.text.to_ascii_uppercase(), line, values: Vec::new() });
            }
            Token::Word(word) => match entries.last_mut() {
                Some(entry) => entry.values.push(word.text),
                None => return Err(word.error("no key stands before it; expected KEY = value")),
            },
            Token::Equals(line) => {
                let follows_key = k > 0 && matches!(tokens[k - 1], Token::Word(_));
                if !follows_key {
                    return Err(line.error("no key stands before it; expected KEY = value"));
                }
            }
        }
    }
    Ok(entries)
}

/// Keys that are read, but for switches.
const READ: [&str; 4] = ["NORB", "NELEC", "MS2", "SYMLZ"];

/// Keys that change nothing about the integrals; some are switches.
const REMARKS: [&str; 16] = [
    "ORBSYM",
    "ISYM",
    "SYML",
    "PROPBITLEN",
    "NPROP",
    "OCC",
    "CLOSED",
    "FROZEN",
    "PNTGRP",
    "IPRTIM",
    "INT",
    "MEMORY",
    "CORE",
    "MAXIT",
    "THR",
    "NROOT",
];

impl Header {
    fn new(entries: Vec<Entry<'_>>) -> Result<Self> {
        for (k, entry) in entries.iter().enumerate() {
            let same = entries[..k].iter().find(|other| other.key == entry.key);
            if same.is_some_and(|other| other.values != entry.values) {
                return Err(entry.error(format!("{} stands there twice, with other values", entry.key)));
            }
        }
        let indexed = entries.iter().find(|entry| {
            let base = entry.key.split_once('(').map(|(base, _)| base);
            base.is_some_and(|base| READ.contains(&base))
        });
        if let Some(entry) = indexed {
            return Err(entry.error(format!("{} has an index; give all its values after =", entry.key)));
        }
        let find = |key: &str| entries.iter().find(|entry| entry.key == key);
        let is_on = |key: &str| find(key).map_or(Ok(false), Entry::is_on);
        let count = |key: &str| find(key).map_or(Ok(None), Entry::count);
        let text = || {
            let words = entries.iter().map(|entry| format!("{}={}", entry.key, entry.values.join(",")));
            shortened(&words.collect::<Vec<_>>().join(" "))
        };
        let n_orbitals = count("NORB")?
            .ok_or_else(|| Error::Parse { text: text(), reason: "the header has no NORB".into() })?;
        let flags = Flags {
            iuhf: is_on("IUHF")?,
            uhf: is_on("UHF")?,
            spinors: is_on("TREL")? || is_on("GHF")? || is_on("IGHF")?,
            general: is_on("IGENERAL")?,
        };
        check_switches(&entries)?;
        Ok(Header {
            n_orbitals,
            n_electrons: count("NELEC")?,
            ms2: find("MS2").map_or(Ok(None), Entry::number)?,
            flags,
            lz: find("SYMLZ").map_or(Ok(None), |entry| entry.runs(n_orbitals))?,
        })
    }
}

/// Refuses switches that are on and not known: they may change what integrals mean.
fn check_switches(entries: &[Entry<'_>]) -> Result<()> {
    const KNOWN: [&str; 7] = ["IUHF", "UHF", "TREL", "GHF", "IGHF", "IGENERAL", "ITGENERAL"];
    let is_true = |entry: &Entry<'_>| match entry.values.as_slice() {
        [value] => matches!(value.to_ascii_uppercase().as_str(), ".TRUE." | ".T." | "TRUE" | "T"),
        _ => false,
    };
    let known = |entry: &Entry<'_>| KNOWN.iter().chain(&REMARKS).any(|known| *known == entry.key);
    match entries.iter().find(|entry| is_true(entry) && !known(entry)) {
        Some(entry) => Err(entry.error(format!(
            "{} is on, which is not known and may change what the integrals mean; take it out if it does not",
            entry.key
        ))),
        None => Ok(()),
    }
}
