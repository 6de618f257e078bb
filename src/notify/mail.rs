//! Mail by SMTP: a notice is one message of plain text, under the notice's own id.

use super::webhook::why;
use crate::domain::NoticeId;
use crate::domain::notice::Tried;
use crate::store::notices::Due;
use lettre::message::{Mailbox, header::ContentType};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

#[derive(Clone)]
pub struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The address holds a password, so that it is not shown.
    #[error("HALO_SMTP_URL cannot be used; write it as in smtps://user:password@host")]
    Url,
    #[error("{0}: `{1}` is no mail address")]
    Address(&'static str, String),
}

impl Mail {
    pub fn new(url: &str, from: &str, to: &[String]) -> Result<Self, MailError> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url).map_err(|_| MailError::Url)?.build();
        let from = from.parse().map_err(|_| MailError::Address("HALO_MAIL_FROM", from.to_owned()))?;
        for one in to {
            one.parse::<Mailbox>().map_err(|_| MailError::Address("HALO_MAIL_TO", one.clone()))?;
        }
        Ok(Mail { transport, from, to: to.to_vec() })
    }

    pub fn to(&self) -> &[String] {
        &self.to
    }

    pub(super) async fn send(&self, due: &Due) -> (Option<u16>, Tried) {
        let failed = |why: String| (None, Tried::Failed(why));
        let Ok(to) = due.target.parse::<Mailbox>() else { return failed("it is no mail address".into()) };
        let host = self.from.email.domain();
        let message = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(due.title.replace(['\r', '\n'], " "))
            // A second copy is known by it.
            .message_id(Some(format!("<{}@{host}>", NoticeId(due.notice_id))))
            .header(ContentType::TEXT_PLAIN)
            .body(due.body.clone());
        let message = match message {
            Ok(message) => message,
            Err(cause) => return failed(why(&cause)),
        };
        match self.transport.send(message).await {
            Ok(_) => (None, Tried::Delivered),
            Err(cause) => failed(why(&cause)),
        }
    }
}
