//! `README.txt`: what is in the pack, in plain words.

use std::fmt::Write;

use super::report::Report;
use super::tables::{BREAKS, PORTS, TRAFFIC};
use crate::closing::explain::text::Lang;
use crate::closing::table::Column;
use crate::inventory::instant::rfc3339;

/// The text; lines end with a line feed.
#[must_use]
pub fn readme(report: &Report, lang: Lang) -> String {
    let Report { server, from, until, timezone, .. } = report;
    let (from, until) = (rfc3339(from.0), rfc3339(until.0));
    let mut text = match lang {
        Lang::En => format!(
            "What was measured of server {server:?}\n\
             from {from} to before {until} (UTC)\n\n\
             Open index.html in a browser: it needs no network and runs no script.\n\n\
             index.html      the page for people\n\
             traffic.csv     every slot of the server\n\
             ports.csv       the same by port\n\
             breaks.csv      where counters started anew, were not read, or told more than the port can carry\n\
             change.json     when the behaviour changed against the four weeks before, and the most unusual hours\n\
             inventory.json  the server, its ports, plan and allowance over the window, and who changed them during it\n\
             cases.json      throttle recommendations about the server, and what was done about them\n\
             alerts.json     alerts about it in the window\n\
             evidence.json   all of the above for programs\n\
             SHA256SUMS      hashes of all other files; `sha256sum -c SHA256SUMS` checks them\n\n\
             Times. In columns without \"local\" and in JSON they are in UTC; those with \"local\" and the page are in {timezone}.\n\
             A slot is five minutes, named by its start.\n\n\
             Directions. \"in\" is towards the server, \"out\" from it. What a switch sends is the server's in. \"rx\" and \"tx\" in \
             breaks.csv\nare what the interface itself received and sent, since they are its own counters.\n\n\
             Units. An octet is eight bits. Rates are in bit/s; 1 Mbps is 1,000,000 bit/s. Octets are those of the interface: on an\n\
             Ethernet switch with its header and usually its check sum, on a server without the check sum.\n\n\
             How the figures are made. The counters of each port are read every minute or so. What two readings differ by is spread\n\
             evenly over the time between them and cut at the boundaries of slots; no octet is lost or invented by that. A rate is\n\
             octets x 8 / covered seconds, rounded down, and exists where half the slot or more is covered. Nothing is estimated. A\n\
             server's figures are the sums over its ports. Mean packet size is octets / packets. Rates are means over a slot: a shorter\n\
             peak may have been higher. Nothing here says with whom the server talked: counters do not know.\n\n\
             The same window makes the same files, octet for octet, as long as no later readings and no changes of the inventory concern it.\n"
        ),
        Lang::Ja => format!(
            "サーバー {server:?} の計測記録\n\
             {from} から {until} の直前まで (UTC)\n\n\
             index.html をブラウザーで開いてください。ネットワーク接続は不要で、スクリプトも使っていません。\n\n\
             index.html      人が読むためのページ\n\
             traffic.csv     サーバーの全スロット\n\
             ports.csv       ポートごとの全スロット\n\
             breaks.csv      カウンターの再始動、読み取りの欠落、ポート速度を超える値\n\
             change.json     直前の4週間と比べて挙動が変化した時点と、最も異なる時間帯\n\
             inventory.json  対象期間のサーバー、ポート、プラン、契約帯域と、期間中の変更者\n\
             cases.json      このサーバーの帯域制限の勧告と対応\n\
             alerts.json     対象期間のアラート\n\
             evidence.json   上記すべて(プログラム用)\n\
             SHA256SUMS      全ファイルのハッシュ。`sha256sum -c SHA256SUMS` で確認できます\n\n\
             時刻。列名に local のない列と JSON は UTC、local の列とページは {timezone} の時刻です。1スロットは5分間で、開始時刻で表します。\n\n\
             方向。in はサーバーへ入る通信、out はサーバーから出る通信です。スイッチの送信はサーバーの in です。breaks.csv の rx と tx は、\n\
             インターフェース自身の受信と送信のカウンターです。\n\n\
             単位。1オクテットは8ビットです。速度は bit/s で、1 Mbps は 1,000,000 bit/s です。オクテット数はインターフェースの計数で、スイッチでは\n\
             イーサネットヘッダーと通常は FCS を含み、サーバーの NIC では FCS を含みません。\n\n\
             算出方法。各ポートのカウンターを約1分ごとに読み取り、2回の読み取りの差をその間に均等に配分し、スロットの境界で区切ります。これによる\n\
             オクテットの過不足はありません。速度は オクテット数 x 8 / 計測秒数 の切り捨てで、スロットの半分以上を計測できた場合だけ算出します。推定は\n\
             行いません。サーバーの値はポートの合計です。平均パケットサイズは オクテット数 / パケット数 です。速度はスロット内の平均であり、瞬間的には\n\
             これより高い可能性があります。カウンターからは通信の相手は分かりません。\n\n\
             対象期間に関わる読み取りの追加や台帳の変更がない限り、同じ期間からは同じファイルが得られます。\n"
        ),
    };
    for (file, columns) in [("traffic.csv", &TRAFFIC[..]), ("ports.csv", &PORTS), ("breaks.csv", &BREAKS)] {
        list(&mut text, file, columns, lang);
    }
    text
}

fn list(text: &mut String, file: &str, columns: &[Column], lang: Lang) {
    let says = lang.pick("The columns of", "列:");
    // Writing into a `String` cannot fail.
    let _ = writeln!(text, "\n{says} {file}");
    for column in columns {
        let _ = writeln!(text, "  {:24}  {}", column.name, lang.pick(column.en, column.ja));
    }
}
