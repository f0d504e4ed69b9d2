//! Templates that come with meter95, a site's own ones, and broken ones.

use std::path::PathBuf;

use super::*;
use crate::inventory::instant::Instant;
use crate::metering::throttle::Rule;
use crate::throttle::case::Case;
use crate::throttle::letter::To;
use crate::throttle::recommendation::tests::recommendation;
use crate::throttle::step::{Body, SERVICE, Step};

fn folder(files: &[(&str, &str)]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    let path = dir.path().to_owned();
    (dir, path)
}

/// The letter of a real recommendation.
fn letter(lang: Language, round: u32) -> Letter {
    let at = "2026-11-26T03:00:00+09:00".parse::<Instant>().unwrap();
    let recommendation = Box::new(recommendation(&[Rule::Sustained]));
    let body = Body::Opened { slot: at, recommendation };
    let step = Step {
        case: 12,
        number: 1,
        serial: 1,
        at: at.0,
        by: SERVICE.to_owned(),
        why: "why".to_owned(),
        body,
    };
    let case = Case::open(step).unwrap();
    let answer_by = "2026-11-27T03:00:00+09:00".parse().unwrap();
    Letter::new(&case, &To { contact: "Sato", lang, round, rounds: 2, answer_by })
}

#[test]
fn what_comes_with_meter95_works() {
    let (templates, problems) = Templates::read(None);
    assert_eq!(problems, []);
    assert_eq!(templates.kinds(), ["eos", "ios", "junos", "tc"]);
}

#[test]
fn letters_say_everything_in_both_languages() {
    let (templates, _) = Templates::read(None);
    let message = templates.letter(Language::En, &letter(Language::En, 1)).unwrap();
    assert_eq!(message.subject, "Traffic of your server web01 needs your attention (case 12)");
    for says in [
        "Dear Sato,\n",
        "it took in 12.345 Mbps and sent 94.1 Mbps on average",
        "  In 11 of the last 12 slots",
        "Included: 1 Mbps.",
        "ends with a 95th percentile of 94.1 Mbps and an overage of 93.1 Mbps, 83,790 JPY.",
        "limit this server to 1 Mbps in either direction until 2026-12-01 00:00 (Asia/Tokyo)",
        "tell us by 2026-11-27 03:00 (Asia/Tokyo)",
    ] {
        assert!(message.text.contains(says), "{says}\n{}", message.text);
    }
    assert!(!message.text.contains("message 1 of 2"));
    let again = templates.letter(Language::En, &letter(Language::En, 2)).unwrap();
    assert!(again.text.contains("This is message 2 of 2"), "{}", again.text);
    let message = templates.letter(Language::Ja, &letter(Language::Ja, 2)).unwrap();
    assert_eq!(message.subject, "【要確認】サーバー web01 の通信量について (案件番号 12)");
    for says in ["Sato 様\n", "83,790 JPY", "2026-11-27 03:00 (Asia/Tokyo) までに", "2 回中 2 回目"] {
        assert!(message.text.contains(says), "{says}\n{}", message.text);
    }
}

#[test]
fn a_site_words_it_its_own_way_and_adds_kinds() {
    let (_dir, path) = folder(&[
        ("contact.en.txt", "Subject: {{ server }}\n\n{{ cap }}\n"),
        (
            "vyos.txt",
            "{% for port in ports %}\nset {{ port.interface }} {{ port.rate_kbps }}\n{% endfor %}\n",
        ),
        ("README", "not a template"),
    ]);
    let (templates, problems) = Templates::read(Some(&path));
    assert_eq!(problems, []);
    assert_eq!(templates.kinds(), ["eos", "ios", "junos", "tc", "vyos"]);
    let message = templates.letter(Language::En, &letter(Language::En, 1)).unwrap();
    assert_eq!(message, Message { subject: "web01".to_owned(), text: "1 Mbps\n".to_owned() });
    let text = templates.snippet("vyos", &snippet::example(2, false)).unwrap().unwrap();
    assert_eq!(text, "set ge-0/0/1 20000\nset ge-0/0/2 20000\n");
    assert!(templates.snippet("contact.en", &snippet::example(1, false)).is_none());
}

#[test]
fn a_broken_template_is_refused_with_its_place_and_stops_nothing() {
    let long = "x".repeat(70_000);
    for (name, text, says) in [
        ("tc.txt", "a\n{% if lift %}", "template tc.txt, line 2: syntax error"),
        (
            "tc.txt",
            "a\nb {{ prots }}\n",
            "template tc.txt, line 2: there is no prots; it can use cap_bps, case",
        ),
        (
            "tc.txt",
            "{% if lift %}\n{{ ports[0].speed }}\n{% endif %}",
            "template tc.txt, line 2: undefined value",
        ),
        ("tc.txt", "{{ ports[1].rate_bps }}", "template tc.txt, line 1: undefined value"),
        (
            "tc.txt",
            "{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}",
            "template tc.txt",
        ),
        ("tc.txt", "{% include 'ios.txt' %}", "template tc.txt, line 1"),
        ("tc.txt", &long, "template tc.txt: 70000 octets; at most 65536"),
        ("My Router.txt", "x", "template My Router.txt: a kind of device is 1 to 32 of a to z"),
        ("contact.de.txt", "Subject: x\n\ny", "template contact.de.txt: there is no such language"),
        ("contact.en.txt", "Dear {{ contact }}", "contact.en.txt, line 1: a subject, an empty line"),
        ("contact.en.txt", "Hello\n\ntext", "contact.en.txt, line 1: the first line is not `Subject: ...`"),
        ("contact.en.txt", "Subject: x\ntext", "contact.en.txt, line 2: the second line is not empty"),
        ("contact.en.txt", "Subject: x\n\n", "contact.en.txt, line 3: there is no text"),
        ("contact.en.txt", "Subject: \n\n{{ server }}", "contact.en.txt, line 1: the first line is not"),
    ] {
        let (_dir, path) = folder(&[(name, text)]);
        let (templates, problems) = Templates::read(Some(&path));
        let [problem] = problems.as_slice() else { panic!("{text}: {problems:?}") };
        assert!(problem.to_string().contains(says), "{text}\n{problem}\n{says}");
        let values = snippet::example(1, false);
        let built_in = Templates::read(None).0;
        assert_eq!(templates.kinds(), built_in.kinds());
        assert_eq!(templates.snippet("tc", &values), built_in.snippet("tc", &values));
        let letter = letter(Language::En, 1);
        assert_eq!(templates.letter(Language::En, &letter), built_in.letter(Language::En, &letter));
    }
    let (templates, problems) = Templates::read(Some(Path::new("no/such/folder")));
    assert_eq!((problems.len(), templates.kinds().len()), (1, 4));
    assert!(problems[0].to_string().starts_with("template no/such/folder: "));
}
