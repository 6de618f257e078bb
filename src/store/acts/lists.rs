//! A list into its tables, a piece at a time.

use super::super::{Conn, bulk};
use crate::domain::Timestamp;
use crate::domain::list::NumberKind;
use crate::store::listed::{Cell, NumberIds, Piece, Table, feed, unread};
use crate::store::{NewCampaign, NewContact, NewNote, Result, StoreError};
use std::io;
use tokio::sync::mpsc;

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
        .execute(&mut *conn)
        .await?;
    let mut numbers = NumberIds::fresh(list.pieces.numbers(), &new.ids, now);
    bulk::numbers(conn, &mut numbers).await?;
    let mut on_the_way =
        OnTheWay { new, now, numbers: &numbers, bulk: bulk::Bulk::default(), first: 0, stored: (0, 0) };
    let mut pieces = feed(list.pieces.clone());
    let mut next = on_the_way.next(&mut pieces).await?;
    while let Some(ready) = next {
        // The next piece is made ready while this one is stored.
        let (put, following) = futures::join!(ready.put(conn, new.batch.0), on_the_way.next(&mut pieces));
        put?;
        next = following?;
    }
    let stored = on_the_way.stored;
    if stored != (list.accepted, list.duplicates + list.refused) {
        return Err(StoreError::Conflict("the import did not store every row: upload the list again".into()));
    }
    crate::fail::wrote("import");
    Ok(())
}

/// What is made of pieces, one after the other.
struct OnTheWay<'a> {
    new: &'a NewCampaign,
    now: Timestamp,
    numbers: &'a NumberIds,
    bulk: bulk::Bulk,
    /// Contacts so far; and contacts and rejects that were handed on.
    first: usize,
    stored: (i64, i64),
}

/// A piece as its tables take it.
struct Ready {
    contacts: bulk::Ready,
    further: bulk::Ready,
    rejects: bulk::Ready,
    notes: Vec<NewNote>,
    some: bool,
}

impl OnTheWay<'_> {
    async fn next(&mut self, pieces: &mut mpsc::Receiver<io::Result<Piece>>) -> Result<Option<Ready>> {
        let Some(piece) = pieces.recv().await else { return Ok(None) };
        let Piece { contacts, rejects, notes } = piece.map_err(unread)?;
        let some = !contacts.is_empty();
        self.stored.0 += contacts.len() as i64;
        self.stored.1 += rejects.len() as i64;
        let before = self.first;
        self.first += contacts.len();
        let (rows, further) = tables(self.new, self.numbers, before, self.now, contacts)?;
        let mut refused = Table::new("rejects", REJECTS);
        for r in rejects {
            refused.push([
                self.new.batch.0.into(),
                r.line.into(),
                r.bucket.into(),
                r.field.into(),
                r.reason.into(),
                r.raw.into(),
                r.cells.into(),
            ]);
        }
        let bulk = &mut self.bulk;
        let (contacts, further, rejects) = (bulk.ready(rows), bulk.ready(further), bulk.ready(refused));
        Ok(Some(Ready { contacts, further, rejects, notes, some }))
    }
}

impl Ready {
    async fn put(self, conn: &mut Conn, batch: i64) -> Result<()> {
        self.contacts.put(conn).await?;
        self.further.put(conn).await?;
        self.rejects.put(conn).await?;
        for notes in self.notes.chunks(NOTES) {
            super::alternates::put_notes(conn, batch, notes).await?;
        }
        if self.some {
            crate::fail::point("import.halfway");
        }
        Ok(())
    }
}

/// Contacts, of which `before` came before, and their further numbers.
fn tables(
    new: &NewCampaign,
    numbers: &NumberIds,
    before: usize,
    now: Timestamp,
    contacts: Vec<NewContact>,
) -> Result<(Table, Table)> {
    let missing = || StoreError::Conflict("a number of the list has no row: upload it again".into());
    let first = new.ids.take(now.0, contacts.len().max(1));
    let (mut rows, mut further) = (Table::new("contacts", CONTACTS), Table::new("contact_numbers", FURTHER));
    rows.cells.reserve(contacts.len() * CONTACTS.len());
    for ((id, place), c) in (first..).zip(before..).zip(contacts) {
        for other in c.alternates {
            let number = numbers.id(&other.number, None).ok_or_else(missing)?;
            further.push([id.into(), other.ordinal.into(), number.into(), other.raw.into()]);
        }
        rows.push([
            id.into(),
            new.campaign.campaign.0.into(),
            new.batch.0.into(),
            numbers.id(&c.number, Some(place)).ok_or_else(missing)?.into(),
            c.line.into(),
            c.mode.as_str().into(),
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
