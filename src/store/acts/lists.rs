//! A list into its tables, a piece at a time.

use super::super::{Conn, bulk};
use crate::domain::list::NumberKind;
use crate::domain::{BatchId, CampaignId, Timestamp};
use crate::store::listed::{Cell, Made, NumberIds, Piece, Stored, Table};
use crate::store::{Ids, NewCampaign, NewContact, Result, StoreError};

const CONTACTS: &[&str] = &[
    "contact_id",
    "campaign_id",
    "batch_id",
    "number_id",
    "line",
    "mode",
    "own_mode",
    "dial_order",
    "name",
    "timezone",
    "external_id",
    "variables",
    "raw_phone",
    "consent_kind",
    "consent_at",
    "consent_source",
    "not_before_at",
    "not_after_at",
    "priority",
    "phone_kind",
];
const FURTHER: &[&str] = &["contact_id", "ordinal", "number_id", "raw_phone"];
const REJECTS: &[&str] = &["batch_id", "line", "bucket", "field", "reason", "raw", "cells"];
/// Notes handed to one statement.
const NOTES: usize = 1000;

/// The list of a campaign, its first or a further one: its buckets summed, its rows stored.
pub async fn store(conn: &mut Conn, ordinal: i64, new: &NewCampaign, now: Timestamp) -> Result<()> {
    let list = &new.list;
    sqlx::query(sql!("insert_import"))
        .bind(new.batch.0)
        .bind(new.campaign.campaign.0)
        .bind(ordinal)
        .bind(&new.source)
        .bind(&new.content_hash)
        .bind(list.accepted + list.duplicates + list.refused)
        .bind(list.accepted)
        .bind(list.duplicates)
        .bind(list.refused)
        .bind(now.0)
        .bind(&list.columns)
        .bind(&new.key)
        .bind(&list.split)
        .execute(&mut *conn)
        .await?;
    let run = bulk::NUMBERS_RUN.filter(|_| list.pieces.numbers_are_first_ones());
    let mut numbers = NumberIds::fresh(list.pieces.numbers(), run, &new.ids, now);
    bulk::numbers(conn, &mut numbers).await?;
    numbers.stored();
    let mut making = Making { of: (new.campaign.campaign, new.batch), ids: new.ids.clone(), now, numbers, before: 0 };
    let note = (sql!("insert_notes"), new.batch);
    let stored = bulk::pieces(conn, list.pieces.clone(), move |piece| making.made(piece), note).await?;
    if stored != (Stored { contacts: list.accepted, rejects: list.duplicates + list.refused }) {
        return Err(StoreError::Conflict("the import did not store every row: upload the list again".into()));
    }
    crate::fail::wrote("import");
    Ok(())
}

/// What makes rows of pieces, one after the other, while earlier ones are stored.
struct Making {
    of: (CampaignId, BatchId),
    ids: Ids,
    now: Timestamp,
    numbers: NumberIds,
    /// Contacts so far.
    before: usize,
}

impl Making {
    fn made(&mut self, piece: Piece) -> Result<Made<bulk::Ready>> {
        let Piece { contacts, rejects, notes } = piece;
        let rows = (contacts.len() as i64, rejects.len() as i64);
        let (contacts, further) = self.tables(contacts)?;
        let mut refused = Table::new("rejects", REJECTS);
        for r in rejects {
            refused.push([
                self.of.1.0.into(),
                r.line.into(),
                r.bucket.into(),
                r.field.into(),
                r.reason.into(),
                r.raw.into(),
                r.cells.into(),
            ]);
        }
        let tables = [contacts, further, refused].into_iter().map(bulk::Ready::of).collect();
        let notes = notes.chunks(NOTES).map(super::alternates::notes_text).collect();
        Ok(Made { tables, notes, contacts: rows.0, rejects: rows.1 })
    }

    /// Contacts and their further numbers.
    fn tables(&mut self, contacts: Vec<NewContact>) -> Result<(Table, Table)> {
        let (before, numbers) = (self.before, &self.numbers);
        self.before += contacts.len();
        let first = self.ids.take(self.now.0, contacts.len().max(1));
        let missing = || StoreError::Conflict("a number of the list has no row: upload it again".into());
        let (mut rows, mut further) = (Table::new("contacts", CONTACTS), Table::new("contact_numbers", FURTHER));
        rows.cells.reserve(contacts.len() * CONTACTS.len());
        for ((id, place), c) in (first..).zip(before..).zip(contacts) {
            for other in c.alternates {
                let number = numbers.id(&other.number, None).ok_or_else(missing)?;
                further.push([id.into(), other.ordinal.into(), number.into(), other.raw.into()]);
            }
            rows.push([
                id.into(),
                self.of.0.0.into(),
                self.of.1.0.into(),
                numbers.id(&c.number, Some(place)).ok_or_else(missing)?.into(),
                c.line.into(),
                c.mode.as_str().to_owned().into(),
                i64::from(c.own_mode).into(),
                c.dial_order.into(),
                c.name.into(),
                c.timezone.map(|zone| zone.name()).into(),
                c.external_id.into(),
                c.variables.into(),
                c.raw_phone.into(),
                c.consent_kind.into(),
                c.consent_at.map(|at| at.0).into(),
                c.consent_source.into(),
                c.wishes.term.not_before.map(|at| at.0).into(),
                c.wishes.term.not_after.map(|at| at.0).into(),
                Cell::Int(c.wishes.priority.into()),
                c.wishes.kind.map(NumberKind::as_str).into(),
            ]);
        }
        Ok((rows, further))
    }
}
