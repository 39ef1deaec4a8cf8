//! Steps as a picture: a column for each thread, time downwards, a box for each step.
//!
//! Colours are explicit, background included, so that the picture is legible on a light page and on a dark one.

use std::fmt::Write;

use crate::catalogue::{threads, wrap};

/// Pixels: a column with its gap, a box, the space around everything, the threads' names, a line of text.
const COLUMN: usize = 250;
const BOX: usize = 234;
const MARGIN: usize = 16;
const HEAD: usize = 34;
const LINE: usize = 18;
const PADDING: usize = 8;
const GAP: usize = 10;

/// The most characters of a line in a box.
const CHARACTERS: usize = 30;

/// Fill and border of the boxes, thread by thread.
const COLOURS: [(&str, &str); 4] = [
    ("#dbeafe", "#1d4ed8"),
    ("#fef3c7", "#b45309"),
    ("#fee2e2", "#b91c1c"),
    ("#dcfce7", "#15803d"),
];

/// The picture of some steps, as an SVG document.
pub(crate) fn draw(title: &str, steps: &[(&str, &str)]) -> String {
    let threads = threads(steps);
    let width = 2 * MARGIN + COLUMN * threads.len() - (COLUMN - BOX);
    let wrapped: Vec<Vec<String>> = steps.iter().map(|(_, step)| wrap(step, CHARACTERS)).collect();
    let tall = |lines: &Vec<String>| lines.len() * LINE + 2 * PADDING;
    let height = 2 * MARGIN + HEAD + wrapped.iter().map(|lines| tall(lines) + GAP).sum::<usize>();
    let mut svg = head(title, width, height);
    for (column, thread) in threads.iter().enumerate() {
        lifeline(&mut svg, column, thread, height);
    }
    let mut y = MARGIN + HEAD;
    for ((thread, _), lines) in steps.iter().zip(&wrapped) {
        let column = threads.iter().position(|other| other == thread).unwrap_or_default();
        step(&mut svg, column, y, lines);
        y += tall(lines) + GAP;
    }
    svg + "</svg>\n"
}

fn head(title: &str, width: usize, height: usize) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\" font-family=\"sans-serif\" font-size=\"13\">\n<title>{}</title>\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"#ffffff\" stroke=\"#9ca3af\"/>\n",
        escape(title)
    )
}

/// A thread's name, and the line that runs down from it.
fn lifeline(svg: &mut String, column: usize, thread: &str, height: usize) {
    let x = MARGIN + column * COLUMN + BOX / 2;
    let (_, border) = COLOURS[column % COLOURS.len()];
    let (top, bottom) = (MARGIN + HEAD - 10, height - MARGIN);
    writeln!(
        svg,
        "<text x=\"{x}\" y=\"{}\" text-anchor=\"middle\" font-weight=\"bold\" fill=\"{border}\">{}</text>\n\
         <line x1=\"{x}\" y1=\"{top}\" x2=\"{x}\" y2=\"{bottom}\" stroke=\"#9ca3af\" stroke-dasharray=\"4 4\"/>",
        MARGIN + 14,
        escape(thread)
    )
    .unwrap();
}

/// A box with its text.
fn step(svg: &mut String, column: usize, y: usize, lines: &[String]) {
    let x = MARGIN + column * COLUMN;
    let (fill, border) = COLOURS[column % COLOURS.len()];
    let height = lines.len() * LINE + 2 * PADDING;
    writeln!(
        svg,
        "<rect x=\"{x}\" y=\"{y}\" width=\"{BOX}\" height=\"{height}\" rx=\"5\" fill=\"{fill}\" stroke=\"{border}\"/>"
    )
    .unwrap();
    for (number, line) in lines.iter().enumerate() {
        let baseline = y + PADDING + number * LINE + 13;
        let (x, line) = (x + 10, escape(line));
        writeln!(svg, "<text x=\"{x}\" y=\"{baseline}\" fill=\"#111827\">{line}</text>").unwrap();
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[test]
fn a_picture_has_a_box_for_each_step_and_no_markup_of_the_text() {
    let svg = draw("a < b", &[("A", "x & <y>"), ("B", "z"), ("A", "w")]);
    assert_eq!(svg.matches("rx=\"5\"").count(), 3);
    assert_eq!(svg.matches("<line ").count(), 2);
    assert!(svg.contains("x &amp; &lt;y&gt;") && svg.contains("<title>a &lt; b</title>"));
}
