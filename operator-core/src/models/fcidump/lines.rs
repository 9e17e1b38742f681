//! The lines of a file, and the numbers on them.

use crate::error::Error;

/// A line with its number, from 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    pub(super) number: usize,
    pub(super) text: &'a str,
}

impl Line<'_> {
    pub(super) fn error(self, reason: impl Into<String>) -> Error {
        Error::ParseLine { line: self.number, text: shortened(self.text), reason: reason.into() }
    }
}

/// The lines of a text, whatever ends them: a line feed, a carriage return, or both.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut rest = Some(text);
    let mut number = 0;
    std::iter::from_fn(move || {
        let text = rest?;
        number += 1;
        let end = text.find(['\n', '\r']);
        let line = &text[..end.unwrap_or(text.len())];
        rest = end.map(|end| &text[end + if text[end..].starts_with("\r\n") { 2 } else { 1 }..]);
        Some(Line { number, text: line })
    })
}

/// The beginning of a text, with single spaces.
pub(super) fn shortened(text: &str) -> String {
    const LONGEST: usize = 60;
    let words: Vec<&str> = text.split_whitespace().take(LONGEST).collect();
    words.join(" ").chars().take(LONGEST).collect()
}

/// A number and what its last digit counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Real {
    pub(super) value: f64,
    pub(super) unit: f64,
    /// Number of significant digits.
    pub(super) digits: usize,
    /// Whether it is written without a point or an exponent.
    pub(super) is_whole: bool,
}

/// A finite number as Fortran writes it: the exponent after E, D or Q, or a sign alone (`1.5-100`).
pub(super) fn real(text: &str) -> Option<Real> {
    let is_sign = |byte: u8| matches!(byte, b'+' | b'-');
    let bytes = text.as_bytes();
    let letter = bytes.iter().position(|byte| matches!(byte, b'e' | b'E' | b'd' | b'D' | b'q' | b'Q'));
    let sign_alone = || (1..bytes.len()).find(|&k| is_sign(bytes[k]));
    let (mantissa, exponent) = match letter {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => match sign_alone() {
            Some(at) => (&text[..at], Some(&text[at..])),
            None => (text, None),
        },
    };
    let digits = mantissa.trim_start_matches(['+', '-']);
    if mantissa.len() - digits.len() > 1 || !digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        return None;
    }
    let power: i64 = exponent.map_or(Ok(0), str::parse).ok()?;
    let value: f64 = match exponent {
        Some(_) => format!("{mantissa}e{power}").parse().ok()?,
        None => mantissa.parse().ok()?,
    };
    let decimals = digits.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let unit = 10f64.powi(power.saturating_sub(decimals as i64).clamp(-400, 400) as i32);
    let significant = digits.trim_start_matches(['0', '.']).bytes();
    let n_digits = significant.filter(u8::is_ascii_digit).count();
    let is_whole = exponent.is_none() && !digits.contains('.');
    value.is_finite().then_some(Real { value, unit, digits: n_digits, is_whole })
}

/// A line without its comment.
pub(super) fn without_comment(text: &str) -> &str {
    text.split(['!', '#']).next().unwrap_or(text)
}

/// The fields of a line, between blanks or single commas, with `3*0` written out, or what is wrong with them.
pub(super) fn fields(text: &str) -> Result<Vec<&str>, &'static str> {
    // No line has more than six.
    const MOST: usize = 16;
    let text = text.trim();
    let mut fields = Vec::with_capacity(6);
    if text.is_empty() {
        return Ok(fields);
    }
    let text = text.strip_suffix(',').unwrap_or(text).trim_end();
    for part in text.split(',') {
        let mut words = part.split_whitespace().peekable();
        words.peek().ok_or("a value is missing between two commas")?;
        for word in words {
            let (times, field) = match word.split_once('*') {
                Some(("", _)) => {
                    return Err("Fortran writes asterisks where a number does not fit its field");
                }
                Some((times, field)) => {
                    (times.parse().map_err(|_| "a number and a value go with *, as in 3*0")?, field)
                }
                None => (1, word),
            };
            if times > MOST || fields.len() + times > MOST {
                return Err("too many numbers; a line has a value and four orbitals");
            }
            fields.extend(std::iter::repeat_n(field, times));
        }
    }
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_in_any_of_the_usual_ways() {
        let texts = |text| lines(text).map(|line| (line.number, line.text)).collect::<Vec<_>>();
        let expected = [(1, "a"), (2, ""), (3, "b"), (4, "")];
        for text in ["a\n\nb\n", "a\r\rb\r", "a\r\n\r\nb\r\n", "a\n\rb\n"] {
            assert_eq!(texts(text), expected, "{text:?}");
        }
        assert_eq!(texts(""), [(1, "")]);
    }

    #[test]
    fn numbers_have_fortrans_exponents() {
        for (text, value, unit) in [
            ("0.25", 0.25, 1e-2),
            ("-1.50", -1.5, 1e-2),
            (".5", 0.5, 1e-1),
            ("5.", 5.0, 1.0),
            ("0.5-9223372036854775808", 0.0, 0.0),
            ("+12", 12.0, 1.0),
            ("2.5D-01", 0.25, 1e-2),
            ("2.5d1", 25.0, 1.0),
            ("2.5q+1", 25.0, 1.0),
            ("2.5Q1", 25.0, 1.0),
            ("2.5E1", 25.0, 1.0),
            ("2.5-1", 0.25, 1e-2),
            ("-2.5+001", -25.0, 1.0),
            ("1.25-100", 1.25e-100, 1e-102),
            ("1e-999", 0.0, 0.0),
        ] {
            let real = real(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(real.value, value, "{text}");
            assert!((real.unit - unit).abs() <= 1e-12 * unit, "{text}: {}", real.unit);
        }
        for (text, digits) in [("0.25", 2), ("-0.0250", 3), ("1.25D-10", 3), ("0.0", 0), ("100", 3)] {
            assert_eq!(real(text).map(|real| real.digits), Some(digits), "{text}");
        }
        for text in [
            "", ".", "-", "x", "inf", "NaN", "1e", "1e5e5", "1d-", "1.2.3", "--1", "1-2-3", "1e999", "1_0",
            "1.0_8", "0x1", "********", "é", "1é", "1-",
        ] {
            assert_eq!(real(text), None, "{text}");
        }
    }

    #[test]
    fn fields_stand_between_blanks_or_commas() {
        for (text, expected) in [
            ("", vec![]),
            (" 1.0  2\t3 ", vec!["1.0", "2", "3"]),
            ("1.0,2 , 3", vec!["1.0", "2", "3"]),
            ("1.0, 2, 3,", vec!["1.0", "2", "3"]),
            ("1.0 3*0", vec!["1.0", "0", "0", "0"]),
        ] {
            assert_eq!(fields(text), Ok(expected), "{text}");
        }
        for (text, reason) in [
            (",", "between two commas"),
            ("1,,2", "between two commas"),
            ("1,2,,", "between two commas"),
            ("1, ,2", "between two commas"),
            ("99*0", "too many numbers"),
            ("18446744073709551615*1 1", "too many numbers"),
            ("x*0", "as in 3*0"),
            ("******** 1 1 0 0", "does not fit its field"),
        ] {
            let said = fields(text).unwrap_err();
            assert!(said.contains(reason), "{text}: {said}");
        }
        assert!(fields(&"1 ".repeat(17)).unwrap_err().starts_with("too many numbers"));
    }
}
