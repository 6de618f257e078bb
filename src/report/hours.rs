//! Hours of the day: did the arms alternate, and how did each fare by the hour?

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::domain::Mode;

use super::figures::{Figures, HourRow};
use super::intervals::rate;
use super::model::{Check, Light, Rate, Text};
use super::stats::chi_square_upper;
use super::words;

/// Hours apart by chance this seldom are called uneven.
const ALARM: f64 = 0.001;
/// A mean of fewer dials than this in a cell, and χ² says nothing.
const EXPECTED_MIN: f64 = 5.0;

/// A mode in an hour of the day, in the campaign's zone, over all nights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct HourCell {
    pub mode: Mode,
    pub hour: u32,
    pub dialled: u64,
    pub human: u64,
    /// Human calls that reached the goal. Exploratory: hours are compared by nobody.
    pub goal_rate: Rate,
}

pub fn cells(figures: &Figures) -> Vec<HourCell> {
    let mut sums: BTreeMap<(usize, u32), (u64, u64, u64)> = BTreeMap::new();
    for row in &figures.hours {
        let Some(place) = figures.design.arms.iter().position(|(mode, _)| *mode == row.mode) else { continue };
        let sum = sums.entry((place, row.hour)).or_default();
        *sum = (sum.0 + row.dialled, sum.1 + row.human, sum.2 + row.goals);
    }
    sums.into_iter()
        .map(|((place, hour), (dialled, human, goals))| HourCell {
            mode: figures.design.arms[place].0.clone(),
            hour,
            dialled,
            human,
            goal_rate: rate(goals, human),
        })
        .collect()
}

/// Dials of the arms over night and hour as one table: arms that alternate are spread alike. Not asked of one arm.
pub fn interleaving(figures: &Figures) -> Option<Check> {
    let told = |light, p: Option<f64>, statistic, text| {
        Some(Check { check: "interleaving".to_owned(), light, statistic, p, text })
    };
    if figures.design.arms.len() < 2 || figures.hours.is_empty() {
        return None;
    }
    let table = table(&figures.hours);
    let Some((statistic, p)) = independence(&table) else {
        return told(
            Light::NotChecked,
            None,
            None,
            Text::new("not enough to check", "недостаточно данных для проверки"),
        );
    };
    if p < ALARM {
        let text = Text::new(
            "arms were dialled at different hours: compare within hours, and find out why they did not alternate",
            "режимы набирались в разные часы: сравнивайте внутри часа и выясните, почему они не чередовались",
        );
        return told(Light::Warning, Some(p), Some(statistic), text);
    }
    let text = Text::new(
        format!("arms were dialled in the same hours (p = {})", words::p_value(p, super::Lang::En)),
        format!("режимы набирались в одни и те же часы (p = {})", words::p_value(p, super::Lang::Ru)),
    );
    told(Light::Good, Some(p), Some(statistic), text)
}

/// Rows are nights and hours, columns arms. Hours with few dials are one row.
fn table(rows: &[HourRow]) -> Vec<Vec<f64>> {
    let modes: BTreeSet<&Mode> = rows.iter().map(|row| &row.mode).collect();
    let mut hours: BTreeMap<(i64, u32), Vec<f64>> = BTreeMap::new();
    for row in rows {
        let place = modes.iter().position(|mode| **mode == row.mode).unwrap_or(0);
        hours.entry((row.night, row.hour)).or_insert_with(|| vec![0.0; modes.len()])[place] += row.dialled as f64;
    }
    let enough = |row: &Vec<f64>| row.iter().sum::<f64>() / row.len() as f64 >= EXPECTED_MIN;
    let (mut kept, few): (Vec<_>, Vec<_>) = hours.into_values().partition(enough);
    let rest = few.into_iter().reduce(|mut sum, row| {
        sum.iter_mut().zip(row).for_each(|(a, b)| *a += b);
        sum
    });
    kept.extend(rest.filter(enough));
    kept
}

/// Pearson's χ² of a table of counts; `None` under two rows or columns, or without counts in one.
fn independence(table: &[Vec<f64>]) -> Option<(f64, f64)> {
    let columns = table.first()?.len();
    let of_column: Vec<f64> = (0..columns).map(|column| table.iter().map(|row| row[column]).sum()).collect();
    let total: f64 = of_column.iter().sum();
    if table.len() < 2 || columns < 2 || of_column.contains(&0.0) {
        return None;
    }
    let statistic = table
        .iter()
        .flat_map(|row| {
            let sum: f64 = row.iter().sum();
            row.iter()
                .zip(&of_column)
                .map(move |(seen, column)| (seen - sum * column / total).powi(2) * total / (sum * column))
        })
        .sum();
    let freedom = (table.len() as u64 - 1) * (columns as u64 - 1);
    Some((statistic, chi_square_upper(statistic, freedom)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(mode: &str, hour: u32, dialled: u64) -> HourRow {
        HourRow { night: 1, mode: mode.parse().expect("a mode's name"), hour, dialled, human: 0, goals: 0 }
    }

    fn p(rows: &[HourRow]) -> Option<f64> {
        independence(&table(rows)).map(|found| found.1)
    }

    /// R: chisq.test(matrix(c(40, 10, 12, 38), 2), correct = FALSE)$p.value is 1.87e-08.
    #[test]
    fn arms_that_do_not_alternate_are_found() {
        let apart = [row("dialog", 9, 40), row("dialog", 10, 10), row("realtime", 9, 12), row("realtime", 10, 38)];
        let found = p(&apart).expect("enough");
        assert!((1.5e-8..2.5e-8).contains(&found), "{found}");
        let alike = [row("dialog", 9, 40), row("dialog", 10, 41), row("realtime", 9, 39), row("realtime", 10, 42)];
        assert!(p(&alike).expect("enough") > 0.5);
        assert_eq!(p(&[row("dialog", 9, 40), row("realtime", 9, 40)]), None, "one hour tells nothing");
        assert_eq!(p(&[row("dialog", 9, 1), row("realtime", 10, 1)]), None, "a handful tells nothing");
    }
}
