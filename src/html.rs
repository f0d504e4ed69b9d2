//! HTML that can't be broken out of: a text is escaped on its way in, and only words of this program are not.

use std::fmt::Write;

/// HTML that is safe to show.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Html(String);

/// A column of a table: its heading, and whether it holds numbers, which stand to the right.
pub(crate) type Column<'a> = (&'a str, bool);

impl Html {
    /// A text of ours, escaped all the same.
    pub(crate) fn text(text: impl AsRef<str>) -> Self {
        let mut html = Self::default();
        html.push_text(text.as_ref());
        html
    }

    /// Words that somebody else chose: no mark in them turns the writing direction of what stands beside.
    pub(crate) fn name(text: &str) -> Self {
        Self(format!("<bdi>{}</bdi>", Self::text(text).0))
    }

    /// HTML that another part of this program has made.
    pub(crate) fn made(html: String) -> Self {
        Self(html)
    }

    pub(crate) fn push_text(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                // What XML may not have, not even escaped.
                c if c.is_control() && !matches!(c, '\n' | '\t') => self.0.push('\u{fffd}'),
                c => self.0.push(c),
            }
        }
    }

    pub(crate) fn push(&mut self, html: &Self) {
        self.0.push_str(&html.0);
    }

    /// An element around some HTML; `tag` may have attributes.
    pub(crate) fn element(&mut self, tag: &'static str, inside: &Self) {
        let name = tag.split(' ').next().unwrap_or(tag);
        // Writing into a `String` cannot fail.
        let _ = writeln!(self.0, "<{tag}>{}</{name}>", inside.0);
    }

    /// A table; without rows it is nothing.
    pub(crate) fn table(&mut self, columns: &[Column<'_>], rows: &[Vec<Self>]) {
        if rows.is_empty() {
            return;
        }
        let class = |number: bool| if number { " class=\"n\"" } else { "" };
        self.0.push_str("<table>\n<thead><tr>");
        for (heading, number) in columns {
            let _ = write!(self.0, "<th{}>{}</th>", class(*number), Self::text(heading).0);
        }
        self.0.push_str("</tr></thead>\n<tbody>\n");
        for row in rows {
            self.0.push_str("<tr>");
            for (cell, (_, number)) in row.iter().zip(columns) {
                let _ = write!(self.0, "<td{}>{}</td>", class(*number), cell.0);
            }
            self.0.push_str("</tr>\n");
        }
        self.0.push_str("</tbody>\n</table>\n");
    }

    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_a_name() {
        for (name, html) in [
            ("web01", "<bdi>web01</bdi>"),
            ("<script>alert('x')</script>", "<bdi>&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;</bdi>"),
            ("\" onload=\"&amp;", "<bdi>&quot; onload=&quot;&amp;amp;</bdi>"),
            ("a\u{0}\u{1b}b", "<bdi>a\u{fffd}\u{fffd}b</bdi>"),
            ("日本", "<bdi>日本</bdi>"),
        ] {
            assert_eq!(Html::name(name).into_string(), html);
        }
    }

    #[test]
    fn a_table_of_nothing_is_nothing() {
        let mut html = Html::default();
        html.table(&[("a", false)], &[]);
        assert_eq!(html, Html::default());
        html.table(&[("a", false), ("<n>", true)], &[vec![Html::text("&"), Html::text("1")]]);
        let row = "<tr><td>&amp;</td><td class=\"n\">1</td></tr>";
        let html = html.into_string();
        assert!(html.contains("<th class=\"n\">&lt;n&gt;</th>") && html.contains(row), "{html}");
    }
}
