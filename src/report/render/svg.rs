//! Just enough of SVG: shapes with classes, text that is escaped, axes with round numbers.

use std::fmt::Write;

use askama::filters::{Html, escape};

/// Marks that tell arms apart without colour: a dash and a shape for each place in the list.
pub const STYLES: usize = 6;

pub struct Svg {
    id: &'static str,
    width: f64,
    height: f64,
    body: String,
}

#[derive(Clone, Copy)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

pub fn escaped(text: &str) -> String {
    escape(text, Html).map_or_else(|_| String::new(), |safe| safe.to_string())
}

impl Svg {
    pub fn new(id: &'static str, width: f64, height: f64) -> Self {
        Svg { id, width, height, body: String::new() }
    }

    fn push(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.body.write_fmt(element);
    }

    pub fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let ((x1, y1), (x2, y2)) = (from, to);
        self.push(format_args!(r#"<line class="{class}" x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}"/>"#));
    }

    pub fn rect(&mut self, class: &str, at: (f64, f64), size: (f64, f64)) {
        let ((x, y), (w, h)) = (at, size);
        self.push(format_args!(
            r#"<rect class="{class}" x="{x:.1}" y="{y:.1}" width="{w:.1}" height="{h:.1}" rx="2"/>"#
        ));
    }

    pub fn text(&mut self, class: &str, at: (f64, f64), anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let (x, y) = at;
        self.push(format_args!(
            r#"<text class="{class}" x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{}</text>"#,
            escaped(text)
        ));
    }

    /// Corners joined by straight lines.
    pub fn path(&mut self, class: &str, points: &[(f64, f64)]) {
        let mut d = String::new();
        for (index, (x, y)) in points.iter().enumerate() {
            let _ = write!(d, "{}{x:.1} {y:.1}", if index == 0 { "M" } else { "L" });
        }
        self.push(format_args!(r#"<path class="{class}" d="{d}"/>"#));
    }

    /// A mark of the arm's own shape: circle, square, triangle, diamond, and so on round.
    pub fn mark(&mut self, place: usize, at: (f64, f64), hollow: bool) {
        let (x, y) = at;
        let class = format!("mark a{}{}", place % STYLES, if hollow { " hollow" } else { "" });
        let r = 5.5;
        match place % 4 {
            0 => self.push(format_args!(r#"<circle class="{class}" cx="{x:.1}" cy="{y:.1}" r="{r}"/>"#)),
            1 => self.push(format_args!(
                r#"<rect class="{class}" x="{:.1}" y="{:.1}" width="{}" height="{}"/>"#,
                x - r,
                y - r,
                2.0 * r,
                2.0 * r
            )),
            2 => self.push(format_args!(
                r#"<path class="{class}" d="M{x:.1} {:.1}L{:.1} {:.1}L{:.1} {:.1}Z"/>"#,
                y - r - 1.0,
                x + r + 1.0,
                y + r,
                x - r - 1.0,
                y + r
            )),
            _ => self.push(format_args!(
                r#"<path class="{class}" d="M{x:.1} {:.1}L{:.1} {y:.1}L{x:.1} {:.1}L{:.1} {y:.1}Z"/>"#,
                y - r - 1.5,
                x + r + 1.5,
                y + r + 1.5,
                x - r - 1.5
            )),
        }
    }

    /// The element, with its title and description for those who hear it.
    pub fn finish(self, title: &str, description: &str) -> String {
        let Svg { id, width, height, body } = self;
        format!(
            r#"<svg viewBox="0 0 {width:.0} {height:.0}" role="img" aria-labelledby="{id}-title {id}-desc"><title id="{id}-title">{}</title><desc id="{id}-desc">{}</desc>{body}</svg>"#,
            escaped(title),
            escaped(description)
        )
    }
}

/// A straight map of values to places.
#[derive(Clone, Copy)]
pub struct Scale {
    pub from: f64,
    pub to: f64,
    pub start: f64,
    pub end: f64,
    pub logarithmic: bool,
}

impl Scale {
    pub fn place(&self, value: f64) -> f64 {
        let map = |v: f64| if self.logarithmic { v.max(1.0).ln() } else { v };
        let share = (map(value) - map(self.from)) / (map(self.to) - map(self.from));
        self.start + share.clamp(0.0, 1.0) * (self.end - self.start)
    }

    /// Round numbers inside, about as many as asked for.
    pub fn ticks(&self, wanted: usize) -> Vec<f64> {
        if self.logarithmic {
            let mut ticks = Vec::new();
            let mut decade = 10_f64.powf(self.from.max(1.0).log10().floor());
            while decade <= self.to {
                ticks.extend(
                    [1.0, 2.0, 5.0].map(|m| m * decade).into_iter().filter(|t| *t >= self.from && *t <= self.to),
                );
                decade *= 10.0;
            }
            return ticks;
        }
        let step = round_step((self.to - self.from) / wanted.max(1) as f64);
        let first = (self.from / step).ceil() as i64;
        let last = (self.to / step).floor() as i64;
        (first..=last).map(|n| n as f64 * step).collect()
    }
}

/// The next of 1, 2, 5 times a power of ten.
pub fn round_step(raw: f64) -> f64 {
    if raw.is_nan() || raw <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf(raw.log10().floor());
    let ratio = raw / power;
    let factor = if ratio <= 1.0 {
        1.0
    } else if ratio <= 2.0 {
        2.0
    } else if ratio <= 5.0 {
        5.0
    } else {
        10.0
    };
    factor * power
}
