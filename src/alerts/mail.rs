//! Mail: events of several kinds in one message to the people of the house, letters to customers' contacts each alone.

use std::time::{Duration, UNIX_EPOCH};

use lettre::address::AddressError;
use lettre::message::header::{ContentType, Date, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use meter95_reading::Timestamp;

use super::digest::{digest, one_line};
use super::event::{Letter, Recipient};
use super::parcel::{Item, Parcel, Verdict, said};
use crate::config::alerts::MailTls;
use crate::inventory::Language;
use crate::store::engine::Secret;

/// The longest subject, in characters.
const SUBJECT_CHARS_MAX: usize = 300;

/// Replies by which a server says that there is no such mailbox, and will not be (RFC 5321, section 4.2.3).
const NO_MAILBOX: [u16; 3] = [550, 551, 553];

/// Replies by which a server takes no message at all: it closes (RFC 5321), or does not let us in (RFC 4954).
const NOT_NOW: [u16; 6] = [421, 454, 530, 534, 535, 538];

/// Why mail can't be sent as configured.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// A text that is no address.
    #[error("{0:?} is no mail address: {1}")]
    Address(String, #[source] AddressError),
    /// A server with a port that is none.
    #[error("{0:?} is no mail server: write a name, with a port after a colon unless it is the usual one")]
    Server(String),
    /// Certificates that can't be read, or no TLS.
    #[error("no TLS with the mail server: {0}")]
    Tls(#[source] lettre::transport::smtp::Error),
}

/// How a server is reached.
#[derive(Debug, Clone)]
pub struct Server {
    /// Its name, with a port after a colon unless it is the usual one.
    pub name: String,
    /// How the connection is protected.
    pub tls: MailTls,
    /// The authorities by which it is known, in PEM; the system's where there are none.
    pub authorities: Option<Vec<u8>>,
    /// The user and the password with which we log in.
    pub login: Option<(String, Secret)>,
    /// How long a message may take.
    pub timeout: Duration,
}

/// What stands in the heads of messages, and in which language they are.
#[derive(Debug, Clone)]
pub struct Heads {
    /// From whom, as in `meter95 <meter95@example.jp>`.
    pub from: String,
    /// To whom events go.
    pub to: Vec<String>,
    /// Who gets answers; `from` where it is nobody else.
    pub reply_to: Option<String>,
    /// In which language events are told.
    pub language: Language,
    /// Where people look further.
    pub public_url: Option<String>,
}

/// A way to send mail.
#[derive(Clone)]
pub struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    timeout: Duration,
    from: Mailbox,
    to: Vec<Mailbox>,
    reply_to: Option<Mailbox>,
    language: Language,
    public_url: Option<String>,
}

/// Says that no person has written the message, so that no machine answers it (RFC 3834).
#[derive(Debug, Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

impl Mail {
    /// A way through `server`; nothing is sent yet.
    ///
    /// # Errors
    /// When an address is none, or TLS can't be had as configured.
    pub fn new(server: &Server, heads: Heads) -> Result<Self, MailError> {
        let mailbox =
            |text: &String| text.parse::<Mailbox>().map_err(|e| MailError::Address(text.clone(), e));
        Ok(Self {
            transport: transport(server)?,
            timeout: server.timeout,
            from: mailbox(&heads.from)?,
            to: heads.to.iter().map(mailbox).collect::<Result<_, _>>()?,
            reply_to: heads.reply_to.as_ref().map(mailbox).transpose()?,
            language: heads.language,
            public_url: heads.public_url,
        })
    }

    /// Sends a message: a letter, or several events.
    pub async fn send(&self, parcel: &Parcel) -> Verdict {
        let (message, is_letter) = match parcel.items.as_slice() {
            [Item::Letter(letter)] => (self.letter(&parcel.id, letter), true),
            items => (self.events(&parcel.id, items), false),
        };
        let message = match message {
            Ok(message) => message,
            Err(error) => return Verdict::Refused(error),
        };
        match tokio::time::timeout(self.timeout, self.transport.send(message)).await {
            Ok(Ok(response)) => {
                let lines: Vec<&str> = response.message().collect();
                Verdict::Taken(super::parcel::clipped(&format!("{} {}", response.code(), lines.join(" "))))
            }
            Ok(Err(error)) => judge(&error, is_letter),
            Err(_) => Verdict::failed(format!("no answer within {} s", self.timeout.as_secs())),
        }
    }

    /// Whether the server answers and lets us in.
    ///
    /// # Errors
    /// With what is in the way.
    pub async fn reach(&self) -> Result<String, String> {
        match tokio::time::timeout(self.timeout, self.transport.test_connection()).await {
            Ok(Ok(true)) => Ok("answers, and lets us in".to_owned()),
            Ok(Ok(false)) => Err("answers, but does not take commands".to_owned()),
            Ok(Err(error)) => Err(said(&error)),
            Err(_) => Err(format!("no answer within {} s", self.timeout.as_secs())),
        }
    }

    fn letter(&self, id: &str, letter: &Letter) -> Result<Message, String> {
        let Recipient::Mail { address } = &letter.to else {
            return Err("a letter to a webhook does not go by mail".to_owned());
        };
        let to: Mailbox = address.parse().map_err(|e| format!("{address:?} is no mail address: {e}"))?;
        let head = self.head(id, letter.at).to(to).subject(one_line(&letter.subject, SUBJECT_CHARS_MAX));
        head.body(letter.text.clone()).map_err(|e| said(&e))
    }

    fn events(&self, id: &str, items: &[Item]) -> Result<Message, String> {
        let events: Vec<_> = items
            .iter()
            .filter_map(|item| match item {
                Item::Event(event) => Some(event),
                Item::Letter(_) => None,
            })
            .collect();
        let Some(last) = events.iter().map(|event| event.at).max() else {
            return Err("there is nothing in it".to_owned());
        };
        let (subject, text) = digest(&events, self.language, self.public_url.as_deref());
        let head = self.to.iter().fold(self.head(id, last), |head, to| head.to(to.clone()));
        head.subject(subject).body(text).map_err(|e| said(&e))
    }

    /// The head of a message, the same each time that it is sent.
    fn head(&self, id: &str, at: Timestamp) -> MessageBuilder {
        let at = UNIX_EPOCH + Duration::from_millis(u64::try_from(at.0).unwrap_or(0));
        let head = Message::builder()
            .from(self.from.clone())
            .message_id(Some(format!("<{id}@{}>", self.from.email.domain())))
            .header(Date::new(at))
            .header(AutoSubmitted)
            .header(ContentType::TEXT_PLAIN);
        match &self.reply_to {
            Some(reply_to) => head.reply_to(reply_to.clone()),
            None => head,
        }
    }
}

fn transport(server: &Server) -> Result<AsyncSmtpTransport<Tokio1Executor>, MailError> {
    // An error is that another part of the process has installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (host, port) = host_and_port(&server.name).ok_or_else(|| MailError::Server(server.name.clone()))?;
    let parameters = || {
        let mut parameters = TlsParameters::builder(host.to_owned());
        if let Some(pem) = &server.authorities {
            let authorities = Certificate::from_pem(pem).map_err(MailError::Tls)?;
            parameters =
                parameters.certificate_store(CertificateStore::None).add_root_certificate(authorities);
        }
        parameters.build_rustls().map_err(MailError::Tls)
    };
    let (tls, usual) = match server.tls {
        MailTls::Starttls => (Tls::Required(parameters()?), 587),
        MailTls::Implicit => (Tls::Wrapper(parameters()?), 465),
        MailTls::None => (Tls::None, 25),
    };
    let builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
        .port(port.unwrap_or(usual))
        .tls(tls)
        .timeout(Some(server.timeout));
    let builder = match &server.login {
        Some((user, password)) => {
            builder.credentials(Credentials::new(user.clone(), password.expose().to_owned()))
        }
        None => builder,
    };
    Ok(builder.build())
}

/// The two parts of `mail.example.jp:587`, `192.0.2.1`, `[2001:db8::1]:587` and the like.
fn host_and_port(name: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match name.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            (host, if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) })
        }
        None => name.split_once(':').map_or((name, None), |(host, port)| (host, Some(port))),
    };
    let port = port.map(str::parse).transpose().ok()?;
    (!host.is_empty()).then_some((host, port))
}

fn judge(error: &lettre::transport::smtp::Error, is_letter: bool) -> Verdict {
    let answer = said(error);
    let code = error.status().map(u16::from);
    match code {
        // Of several recipients one may be wrong: that is for whoever configured them.
        Some(code) if is_letter && NO_MAILBOX.contains(&code) => Verdict::Refused(answer),
        Some(code) if NOT_NOW.contains(&code) => Verdict::Unreachable(answer),
        Some(_) => Verdict::failed(answer),
        None if error.is_timeout() || error.is_response() || error.is_client() => Verdict::failed(answer),
        None => Verdict::Unreachable(answer),
    }
}

#[cfg(test)]
mod tests {
    use super::super::alert::Severity;
    use super::super::event::Event;
    use super::*;

    fn mail() -> Mail {
        let server = Server {
            name: "mail.example.jp".to_owned(),
            tls: MailTls::None,
            authorities: None,
            login: None,
            timeout: Duration::from_secs(1),
        };
        let heads = Heads {
            from: "meter95 <meter95@example.jp>".to_owned(),
            to: vec!["noc@example.jp".to_owned(), "運用 <ops@example.jp>".to_owned()],
            reply_to: Some("noc@example.jp".to_owned()),
            language: Language::Ja,
            public_url: None,
        };
        Mail::new(&server, heads).unwrap()
    }

    fn letter(address: &str, subject: &str, text: &str) -> Letter {
        Letter {
            id: "letter-1".to_owned(),
            at: Timestamp(1_795_223_400_000),
            to: Recipient::Mail { address: address.to_owned() },
            subject: subject.to_owned(),
            text: text.to_owned(),
            data: serde_json::Value::Null,
        }
    }

    fn head_of(message: &Message) -> String {
        let text = String::from_utf8(message.formatted()).unwrap();
        text.split_once("\r\n\r\n").unwrap().0.to_owned()
    }

    #[test]
    fn a_message_is_the_same_each_time_and_from_a_machine() {
        let message = || mail().letter("letter-1", &letter("a@b.example", "Your server", "Hello")).unwrap();
        let head = head_of(&message());
        for line in [
            "Message-ID: <letter-1@example.jp>",
            "Date: Sat, 21 Nov 2026 01:10:00 +0000",
            "Auto-Submitted: auto-generated",
            "Reply-To: noc@example.jp",
            "To: a@b.example",
            "Subject: Your server",
            "Content-Type: text/plain; charset=utf-8",
        ] {
            assert!(head.lines().any(|l| l == line), "{line}\n{head}");
        }
        assert_eq!(message().formatted(), message().formatted());
    }

    #[test]
    fn nothing_gets_into_a_head_that_does_not_belong_there() {
        let subject = "サーバー\r\nBcc: victim@example.com\r\n\r\nbody";
        let message = mail().letter("letter-1", &letter("a@b.example", subject, "Hello")).unwrap();
        assert!(!head_of(&message).lines().any(|line| line.starts_with("Bcc")), "{}", head_of(&message));
        assert_eq!(message.envelope().to().len(), 1);
        for address in ["a@b.example\r\nBcc: c@d.example", "a@b.example, c@d.example", "nobody", ""] {
            assert!(mail().letter("letter-1", &letter(address, "s", "t")).is_err(), "{address:?}");
        }
        let event = Event {
            id: "e".to_owned(),
            at: Timestamp(1_795_223_400_000),
            kind: "test".to_owned(),
            severity: Severity::Info,
            region: None,
            summary: "a\r\nBcc: victim@example.com".to_owned(),
            data: serde_json::Value::Null,
        };
        let message = mail().events("e", &[Item::Event(event)]).unwrap();
        assert!(!head_of(&message).lines().any(|line| line.starts_with("Bcc")), "{}", head_of(&message));
        assert_eq!(message.envelope().to().len(), 2);
    }

    #[test]
    fn servers_are_names_and_ports() {
        for (name, parts) in [
            ("mail.example.jp", Some(("mail.example.jp", None))),
            ("mail.example.jp:2525", Some(("mail.example.jp", Some(2525)))),
            ("[2001:db8::1]:587", Some(("2001:db8::1", Some(587)))),
            ("[2001:db8::1]", Some(("2001:db8::1", None))),
            ("mail.example.jp:", None),
            ("mail.example.jp:smtp", None),
            (":25", None),
            ("", None),
        ] {
            assert_eq!(host_and_port(name), parts, "{name}");
        }
    }
}
