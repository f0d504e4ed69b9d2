//! A drawing as SVG: text that can be read, searched and copied, and looks given by attributes alone, so that no policy of
//! a browser's is in its way.

use std::fmt::Write;

use super::drawing::{Drawing, HEIGHT, Ink, Item, Len, Path, Step, Text, WIDTH};
use super::fonts::Weight;
use crate::html::Html;

/// Noto Sans JP, or what a machine without it has that is most like it. Whichever it is, each text is as wide as it was
/// laid out.
const FAMILY: &str = "'Noto Sans JP', 'Noto Sans CJK JP', 'Hiragino Sans', 'Yu Gothic', Meiryo, sans-serif";

/// A page; `number` tells its names from those of other pages of the document.
pub(super) fn svg(drawing: &Drawing, number: usize) -> Html {
    let (title, says) = (Html::text(&drawing.title), Html::text(&drawing.says));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" font-family=\"{FAMILY}\" \
         text-rendering=\"geometricPrecision\" aria-labelledby=\"t{number} d{number}\">\n\
         <title id=\"t{number}\">{}</title>\n<desc id=\"d{number}\">{}</desc>\n",
        points(WIDTH),
        points(HEIGHT),
        title.into_string(),
        says.into_string(),
    );
    for item in &drawing.items {
        match item {
            Item::Text(text) => put_text(&mut svg, text),
            Item::Path(path) => put_path(&mut svg, path),
        }
    }
    svg.push_str("</svg>\n");
    Html::made(svg)
}

// Writing into a `String` cannot fail.

fn put_text(svg: &mut String, text: &Text) {
    let Text { x, y, style, width, text } = text;
    let weight = match style.weight {
        Weight::Regular => "",
        Weight::Bold => " font-weight=\"700\"",
    };
    let _ = writeln!(
        svg,
        "<text x=\"{}\" y=\"{}\" font-size=\"{}\"{weight} fill=\"{}\" textLength=\"{}\" lengthAdjust=\"spacingAndGlyphs\">{}</text>",
        points(*x),
        points(*y),
        points(style.size),
        colour(style.ink),
        points(*width),
        Html::text(text).into_string(),
    );
}

fn put_path(svg: &mut String, path: &Path) {
    let Path { steps, fill, stroke } = path;
    let _ = write!(svg, "<path fill=\"{}\"", fill.map_or_else(|| "none".to_owned(), colour));
    if let Some(stroke) = stroke {
        let _ = write!(svg, " stroke=\"{}\" stroke-width=\"{}\"", colour(stroke.ink), points(stroke.width));
        if let Some((dash, gap)) = stroke.dash {
            let _ = write!(svg, " stroke-dasharray=\"{} {}\"", points(dash), points(gap));
        }
        svg.push_str(" stroke-linejoin=\"round\"");
    }
    svg.push_str(" d=\"");
    let (mut at_x, mut at_y) = (0, 0);
    for step in steps {
        let _ = match *step {
            Step::Move(x, y) => {
                (at_x, at_y) = (x, y);
                write!(svg, "M{} {}", points(x), points(y))
            }
            Step::Line(x, y) => {
                let (from_x, from_y) = (at_x, at_y);
                (at_x, at_y) = (x, y);
                match (x == from_x, y == from_y) {
                    (true, true) => Ok(()),
                    (true, false) => write!(svg, "V{}", points(y)),
                    (false, true) => write!(svg, "H{}", points(x)),
                    (false, false) => write!(svg, "L{} {}", points(x), points(y)),
                }
            }
            Step::Close => write!(svg, "Z"),
        };
    }
    svg.push_str("\"/>\n");
}

/// A length in points, exactly.
fn points(length: Len) -> String {
    let (sign, length) = if length < 0 { ("-", -length) } else { ("", length) };
    match (length / 100, length % 100) {
        (whole, 0) => format!("{sign}{whole}"),
        (whole, part) if part % 10 == 0 => format!("{sign}{whole}.{}", part / 10),
        (whole, part) => format!("{sign}{whole}.{part:02}"),
    }
}

fn colour(Ink(red, green, blue): Ink) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::drawing::{BLACK, PT, Side, Stroke, Style};
    use crate::report::fonts::Fonts;

    #[test]
    fn lengths_are_exact() {
        for (length, shown) in [(0, "0"), (100, "1"), (150, "1.5"), (-5, "-0.05"), (12_345, "123.45")] {
            assert_eq!(points(length), shown);
        }
    }

    #[test]
    fn a_drawing_says_what_is_on_it_and_nothing_gets_out_of_it() {
        let mut drawing =
            Drawing { title: "</title><script>".to_owned(), says: "a & b".to_owned(), items: Vec::new() };
        let style = Style::new(9 * PT, Weight::Bold, BLACK);
        let place = (Side::Right, 20_000, 5_000);
        drawing.text(Fonts::embedded().unwrap(), place, style, 10_000, "<b>\"& 請求額</b>");
        drawing.line(
            &[(0, 0), (100, 0), (100, 250), (0, 0)],
            Stroke { dash: Some((150, 100)), ..Stroke::new(BLACK, 50) },
        );
        let svg = svg(&drawing, 3).into_string();
        assert!(svg.contains("<title id=\"t3\">&lt;/title&gt;&lt;script&gt;</title>"), "{svg}");
        assert!(svg.contains(">&lt;b&gt;&quot;&amp; 請求額&lt;/b&gt;</text>"), "{svg}");
        assert!(
            svg.contains("stroke-dasharray=\"1.5 1\" stroke-linejoin=\"round\" d=\"M0 0H1V2.5L0 0\"/>"),
            "{svg}"
        );
    }
}
