//! An expression as words and signs.

use super::Odd;

/// A word or a sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A name, a function or a keyword.
    Word(&'a str),
    Number,
    /// In milliseconds.
    Duration(u64),
    /// Without its quotes; escapes stand as they were written.
    Text(&'a str),
    /// Parentheses, braces, brackets, `,`, `:`, `@` and operators.
    Sign(&'a str),
}

/// Those of several characters first.
const SIGNS: [&str; 24] = [
    "==", "!=", "=~", "!~", ">=", "<=", "(", ")", "{", "}", "[", "]", ",", ":", "@", "=", ">", "<", "+", "-",
    "*", "/", "%", "^",
];

/// Each with where it begins, in bytes.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token<'_>)>, Odd> {
    let mut all = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        if matches!(first, ' ' | '\t' | '\r' | '\n') {
            at += 1;
            continue;
        }
        let (token, length) = one(&text[at..]).ok_or_else(|| unreadable(text, at))?;
        all.push((at, token));
        at += length;
    }
    Ok(all)
}

/// Here it is not read on.
pub(super) fn unreadable(text: &str, at: usize) -> Odd {
    Odd::Unreadable {
        at: text[..at].chars().count() + 1,
    }
}

fn one(rest: &str) -> Option<(Token<'_>, usize)> {
    let mut bytes = rest.bytes();
    let (first, second) = (bytes.next()?, bytes.next());
    let digit = |it: Option<u8>| it.is_some_and(|it| it.is_ascii_digit());
    match first {
        b'"' | b'\'' | b'`' => quoted(rest, first),
        _ if first.is_ascii_digit() || (first == b'.' && digit(second)) => Some(figure(rest)),
        // A colon alone parts a range from a subquery's step.
        b':' if !second.is_some_and(|it| it.is_ascii_alphabetic() || it == b'_') => {
            Some((Token::Sign(":"), 1))
        }
        _ if first.is_ascii_alphabetic() || matches!(first, b'_' | b':') => {
            let word = upto(rest, |it| it.is_ascii_alphanumeric() || matches!(it, b'_' | b':'));
            Some((Token::Word(word), word.len()))
        }
        _ => {
            let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign))?;
            Some((Token::Sign(sign), sign.len()))
        }
    }
}

/// The bytes, all ASCII, from the beginning.
fn upto(rest: &str, which: impl Fn(u8) -> bool) -> &str {
    let end = rest.bytes().position(|it| !which(it)).unwrap_or(rest.len());
    &rest[..end]
}

fn quoted(rest: &str, quote: u8) -> Option<(Token<'_>, usize)> {
    let mut escaped = false;
    for (at, it) in rest.char_indices().skip(1) {
        match it {
            _ if it.is_control() => return None,
            _ if escaped => escaped = false,
            '\\' if quote != b'`' => escaped = true,
            _ if u32::from(it) == u32::from(quote) => return Some((Token::Text(&rest[1..at]), at + 1)),
            _ => {}
        }
    }
    None
}

/// A number, or a duration such as `1h30m`.
fn figure(rest: &str) -> (Token<'_>, usize) {
    if let Some((milliseconds, length)) = duration(rest) {
        return (Token::Duration(milliseconds), length);
    }
    let hexadecimal = rest.starts_with("0x") || rest.starts_with("0X");
    if hexadecimal {
        let digits = upto(&rest[2..], |it| it.is_ascii_hexdigit());
        return (Token::Number, digits.len() + 2);
    }
    let mut length = upto(rest, |it| it.is_ascii_digit() || it == b'.').len();
    let exponent = rest[length..].strip_prefix(['e', 'E']);
    if let Some(exponent) = exponent {
        let sign = usize::from(exponent.starts_with(['+', '-']));
        let digits = upto(&exponent[sign..], |it| it.is_ascii_digit()).len();
        if digits > 0 {
            length += 1 + sign + digits;
        }
    }
    (Token::Number, length)
}

/// Milliseconds, and how many bytes say so; None if it does not begin with a duration.
fn duration(rest: &str) -> Option<(u64, usize)> {
    let (mut sum, mut at) = (0_u64, 0);
    loop {
        let digits = upto(&rest[at..], |it| it.is_ascii_digit());
        let unit = upto(&rest[at + digits.len()..], |it| it.is_ascii_alphabetic());
        let of_unit = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            "y" => 31_536_000_000,
            _ => return (at > 0 && digits.is_empty()).then_some((sum, at)),
        };
        // What has too many digits is longer than anything that is allowed.
        let many = digits.parse::<u64>().unwrap_or(u64::MAX);
        if digits.is_empty() {
            return None;
        }
        sum = sum.saturating_add(many.saturating_mul(of_unit));
        at += digits.len() + unit.len();
    }
}
