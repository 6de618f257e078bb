//! A list that was read, held against what is stored already: which of its rows are new, and which arm they get.

use super::import::ImportError;
use super::pack::Pack;
use super::progress::Progress;
use super::taken::{Kept, Rows, Taken, kept, new_note, put_complaint, reject};
use crate::domain::assign::{arm_places, split_text, stratum};
use crate::domain::settings::Settings;
use crate::domain::{CampaignId, Mode, PhoneNumber, Timestamp};
use crate::intake::check::Tally;
use crate::intake::{Bucket, Complaint, Note};
use crate::store::{KnownElsewhere, KnownErased, KnownNumber, Listed, Piece, Pieces, Store};
use std::collections::{BTreeSet, HashMap};
use std::io;
use std::sync::{Arc, LazyLock};

/// Rows handed over, and numbers asked about, at once.
const PIECE_ROWS: usize = 2000;
const DAY_MS: i64 = 24 * 3_600_000;

/// One go at storing a list; when another list came in between, there is another.
pub struct Round {
    pub tally: Tally,
    taken: Arc<Rows>,
    /// Of each accepted row: is it a duplicate of one that is stored?
    lost: Vec<bool>,
    /// Why they are.
    late: Pack,
    /// What is told of rows that are called all the same.
    told: Pack,
}

impl Round {
    /// As it was read: nobody is held against anything.
    pub fn fresh(taken: &Taken) -> Self {
        Round {
            tally: taken.tally.clone(),
            taken: taken.rows.clone(),
            lost: vec![false; taken.rows.digits.len()],
            late: Pack::default(),
            told: Pack::default(),
        }
    }

    /// Against the campaign's own lists, and against other campaigns' of the last days where its settings ask for that.
    pub async fn against(
        taken: &Taken,
        store: &Store,
        campaign: Option<CampaignId>,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<Self, ImportError> {
        let mut round = Round::fresh(taken);
        let elsewhere = settings.list.elsewhere;
        let somebody_gone = store.somebody_erased().await?;
        if campaign.is_none() && elsewhere.days == 0 && !somebody_gone {
            return Ok(round);
        }
        let since = now.plus_ms(-i64::from(elsewhere.days) * DAY_MS);
        let (mut place, mut at) = (0, 0);
        loop {
            let (page, end) = page(&taken.rows, at)?;
            at = end;
            if page.is_empty() {
                return Ok(round);
            }
            let numbers: Vec<PhoneNumber> = page.iter().map(|row| row.contact.number.clone()).collect();
            let here = match campaign {
                Some(campaign) => store.known_numbers(campaign, &numbers).await?,
                None => Vec::new(),
            };
            let there = match elsewhere.days {
                0 => Vec::new(),
                _ => store.known_elsewhere(campaign, &numbers, since).await?,
            };
            let here: HashMap<&str, &KnownNumber> = here.iter().map(|known| (known.e164.as_str(), known)).collect();
            // The rows come oldest first: the last list is the one that is told.
            let there: HashMap<&str, &KnownElsewhere> =
                there.iter().map(|known| (known.e164.as_str(), known)).collect();
            let gone = if somebody_gone { store.erased_among(campaign, &numbers).await? } else { Vec::new() };
            let gone: HashMap<&str, &KnownErased> = gone.iter().map(|known| (known.e164.as_str(), known)).collect();
            let rows = page.len();
            for (n, row) in page.into_iter().enumerate() {
                let number = row.contact.number.as_str();
                if let Some(known) = gone.get(number) {
                    round.leave(place + n, &row, &taken.field, known.opted_out)?;
                } else if let Some(known) = here.get(number) {
                    let why = format!("the same number as line {} of list {}", known.line, known.ordinal);
                    round.lose(place + n, &row, &taken.field, why)?;
                } else if let Some(known) = there.get(number) {
                    let days = now.since(Timestamp(known.imported_at)) / DAY_MS;
                    let why = format!(
                        "the same number as line {} of list {} of campaign {}, {}",
                        known.line,
                        known.ordinal,
                        known.campaign,
                        if days == 0 { "of today".to_owned() } else { format!("{days} days ago") }
                    );
                    match elsewhere.call {
                        true => round.tell(&row, &taken.field, why)?,
                        false => round.lose(place + n, &row, &taken.field, why)?,
                    }
                }
            }
            place += rows;
        }
    }

    /// Somebody who was erased: nothing of the row is kept but that it was there.
    fn leave(&mut self, place: usize, row: &Kept, field: &str, opted_out: bool) -> Result<(), ImportError> {
        let (bucket, reason) = match opted_out {
            true => (Bucket::Refused, "this person asked never to be called, and was erased since"),
            false => (Bucket::Duplicate, "this person was in the campaign, and was erased since"),
        };
        let (line, field) = (row.contact.line as u64, field.to_owned());
        let (raw, cells) = (String::new(), String::new());
        self.part(place, row, Complaint { line, bucket, field, reason: reason.to_owned(), raw, cells })
    }

    fn part(&mut self, place: usize, row: &Kept, complaint: Complaint) -> Result<(), ImportError> {
        self.tally.lose(row.facts(), &row.notes, &complaint);
        self.lost[place] = true;
        self.late.push(|cells| put_complaint(cells, &complaint)).map_err(ImportError::Kept)
    }

    fn lose(&mut self, place: usize, row: &Kept, field: &str, reason: String) -> Result<(), ImportError> {
        let complaint = Complaint {
            line: row.contact.line as u64,
            bucket: Bucket::Duplicate,
            field: field.to_owned(),
            reason,
            raw: crate::intake::phone::shown(&row.contact.raw_phone),
            cells: row.cells.clone().unwrap_or_default(),
        };
        self.part(place, row, complaint)
    }

    fn tell(&mut self, row: &Kept, field: &str, reason: String) -> Result<(), ImportError> {
        let (line, raw) = (row.contact.line, crate::intake::phone::shown(&row.contact.raw_phone));
        let note = Note { line: line as u64, field: field.to_owned(), reason, raw };
        self.tally.note(&note);
        let packed = self.told.push(|cells| {
            cells.int(line);
            [&note.field, &note.reason, &note.raw].iter().for_each(|text| cells.text(text));
        });
        packed.map_err(ImportError::Kept)
    }

    /// Numbers that join, further ones too.
    pub fn joining(&self) -> impl Iterator<Item = PhoneNumber> + '_ {
        self.digits().filter_map(PhoneNumber::of_digits)
    }

    /// Numbers that would be called first, each with its own mode.
    pub fn callable<'a>(&'a self, modes: &'a BTreeSet<Mode>) -> impl Iterator<Item = (PhoneNumber, Option<Mode>)> + 'a {
        let known: Vec<&Mode> = modes.iter().collect();
        let rows = self.taken.digits.iter().zip(&self.taken.own).zip(&self.lost);
        rows.filter(|(_, lost)| !**lost).filter_map(move |((digits, own), _)| {
            let own = usize::from(*own).checked_sub(1).and_then(|place| known.get(place));
            Some((PhoneNumber::of_digits(*digits)?, own.map(|mode| (*mode).clone())))
        })
    }

    fn digits(&self) -> impl Iterator<Item = u64> + '_ {
        let lost = |place: usize| self.lost[place];
        let first = self.taken.digits.iter().enumerate().filter(move |(place, _)| !lost(*place)).map(|(_, d)| *d);
        let further = self.taken.further.iter().filter(move |(place, _)| !lost(*place as usize)).map(|(_, d)| *d);
        first.chain(further)
    }

    /// With its arms, ready to be stored. The list with this ordinal is a stratum of its own, so a later one moves
    /// nobody.
    pub fn listed(
        self,
        settings: &Settings,
        salt: &str,
        ordinal: i64,
        columns: String,
        progress: Arc<Progress>,
    ) -> Listed {
        let buckets = self.tally.buckets;
        let round = Arc::new(self);
        let modes = settings.modes.iter().map(|(mode, _)| mode.clone()).collect();
        let (of, salt, weights) = (round.clone(), salt.to_owned(), settings.modes.clone());
        let arms: Arc<Arms> = Arc::new(LazyLock::new(Box::new(move || of.arms(&salt, ordinal, &weights))));
        // A million draws take a while: they are made while the numbers are stored, which need none.
        let early = arms.clone();
        tokio::task::spawn_blocking(move || LazyLock::force(&early).len());
        Listed {
            accepted: buckets.accepted as i64,
            duplicates: buckets.duplicate as i64,
            refused: buckets.refused as i64,
            columns: Some(columns),
            split: Some(split_text(&settings.modes)),
            pieces: Arc::new(Armed { round, arms, modes, progress }),
        }
    }

    /// Of each accepted row: its arm, as a place in `modes`.
    fn arms(&self, salt: &str, ordinal: i64, modes: &[(Mode, u32)]) -> Vec<u16> {
        // A row that names its own mode is called, and is in no experiment: it takes no place in a block.
        let drawn = |place: &usize| !self.lost[*place] && self.taken.own[*place] == 0;
        if (0..self.lost.len()).all(|place| drawn(&place)) {
            return arm_places(salt, &stratum(ordinal), modes, &self.taken.digits);
        }
        let places: Vec<usize> = (0..self.lost.len()).filter(drawn).collect();
        let digits: Vec<u64> = places.iter().map(|place| self.taken.digits[*place]).collect();
        let given = arm_places(salt, &stratum(ordinal), modes, &digits);
        let mut arms = vec![0_u16; self.lost.len()];
        for (place, arm) in places.into_iter().zip(given) {
            arms[place] = arm;
        }
        arms
    }
}

type Arms = LazyLock<Vec<u16>, Box<dyn FnOnce() -> Vec<u16> + Send>>;

/// Some accepted rows from this place of the pack on, and where they end.
fn page(rows: &Rows, from: u64) -> Result<(Vec<Kept>, u64), ImportError> {
    let mut page = Vec::new();
    let read = rows.accepted.each_from(from, |mut record| {
        page.push(kept(&mut record)?);
        Ok(page.len() < PIECE_ROWS)
    });
    let end = read.map_err(ImportError::Kept)?;
    Ok((page, end))
}

struct Armed {
    round: Arc<Round>,
    arms: Arc<Arms>,
    modes: Vec<Mode>,
    progress: Arc<Progress>,
}

impl Pieces for Armed {
    fn numbers(&self) -> Vec<u64> {
        self.round.digits().collect()
    }

    fn numbers_are_first_ones(&self) -> bool {
        self.round.taken.further.is_empty()
    }

    fn each(&self, hand_on: &mut dyn FnMut(Piece) -> bool) -> io::Result<()> {
        let round = &self.round;
        self.progress.begin_storing(round.tally.buckets.accepted as u64);
        let mut wanted = true;
        for pack in [&round.taken.complaints, &round.late] {
            let mut piece = Piece::default();
            pack.each(|mut record| {
                piece.rejects.push(reject(&mut record)?);
                if piece.rejects.len() == PIECE_ROWS {
                    wanted = hand_on(std::mem::take(&mut piece));
                }
                Ok(wanted)
            })?;
            wanted = wanted && hand_on(piece);
        }
        let mut piece = Piece::default();
        round.told.each(|mut record| {
            let line = record.int()? as u64;
            let mut text = || record.text().map(str::to_owned);
            piece.notes.push(new_note(Note { line, field: text()?, reason: text()?, raw: text()? }));
            if piece.notes.len() == PIECE_ROWS {
                wanted = hand_on(std::mem::take(&mut piece));
            }
            Ok(wanted)
        })?;
        let mut place = 0;
        round.taken.accepted.each(|mut record| {
            place += 1;
            if round.lost[place - 1] {
                return Ok(wanted);
            }
            let Kept { mut contact, notes, .. } = kept(&mut record)?;
            if !contact.own_mode {
                contact.mode = self.modes[usize::from(self.arms[place - 1])].clone();
            }
            piece.contacts.push(contact);
            piece.notes.extend(notes.into_iter().map(new_note));
            if piece.contacts.len() == PIECE_ROWS {
                self.progress.add(|p| &p.stored, PIECE_ROWS as u64);
                wanted = hand_on(std::mem::take(&mut piece));
            }
            Ok(wanted)
        })?;
        self.progress.add(|p| &p.stored, piece.contacts.len() as u64);
        if wanted {
            hand_on(piece);
        }
        Ok(())
    }
}
