//! Text for SVG.

/// Makes any text safe inside an element or a quoted attribute.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            // Not allowed in XML at all.
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

/// At most `limit` characters, the last of them an ellipsis if some are missing.
pub(super) fn cut(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(limit.saturating_sub(1)).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::{cut, escape};

    #[test]
    fn nothing_from_outside_becomes_markup() {
        assert_eq!(
            escape(r#"<script x='"'>&"#),
            "&lt;script x=&#39;&quot;&#39;&gt;&amp;"
        );
        assert_eq!(escape("a\u{0}\nb"), "a  b");
    }

    #[test]
    fn cutting_counts_characters() {
        assert_eq!(cut("user-service", 12), "user-service");
        assert_eq!(cut("user-service", 6), "user-…");
        assert_eq!(cut("서비스", 2), "서…");
    }
}
