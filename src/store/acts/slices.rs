//! A campaign cut by something that its rows or its calls say.

use super::super::Conn;
use crate::store::Result;
use crate::store::slices::{Behind, Cut, SlicedContacts, SlicedMedian, SlowTurn};

pub async fn contacts(conn: &mut Conn, cut: &Cut) -> Result<Vec<SlicedContacts>> {
    Ok(sqlx::query_as(sql!("slice_contacts"))
        .bind(cut.campaign.0)
        .bind(cut.account)
        .bind(cut.by.name())
        .bind(cut.by.column())
        .bind(cut.from)
        .bind(cut.until)
        .fetch_all(conn)
        .await?)
}

pub async fn medians(conn: &mut Conn, cut: &Cut) -> Result<Vec<SlicedMedian>> {
    Ok(sqlx::query_as(sql!("slice_medians"))
        .bind(cut.campaign.0)
        .bind(cut.account)
        .bind(cut.by.name())
        .bind(cut.by.column())
        .bind(cut.from)
        .bind(cut.until)
        .fetch_all(conn)
        .await?)
}

pub async fn slowest(conn: &mut Conn, cut: &Cut, behind: &Behind) -> Result<Vec<SlowTurn>> {
    Ok(sqlx::query_as(sql!("slowest_turns"))
        .bind(cut.campaign.0)
        .bind(cut.account)
        .bind(cut.by.name())
        .bind(cut.by.column())
        .bind(cut.from)
        .bind(cut.until)
        .bind(&behind.label)
        .bind(&behind.mode)
        .bind(behind.night)
        .bind(behind.limit)
        .fetch_all(conn)
        .await?)
}
