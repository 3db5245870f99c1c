//! Files of banks, as they are and as an attacker makes them.

use niyam_domain::NewStatement;
use niyam_values::Decimal;

use super::*;

fn map() -> ColumnMap {
    ColumnMap {
        delimiter: b',',
        is_decimal_comma: false,
        dates: DateOrder::DayMonthYear,
        date: "Date".to_owned(),
        amount: None,
        credit: Some("Deposit".to_owned()),
        debit: Some("Withdrawal".to_owned()),
        reference: Some("Cheque".to_owned()),
        description: Some("Particulars".to_owned()),
        counterparty: None,
    }
}

fn balances() -> Balances {
    Balances {
        number: None,
        currency: "BDT".parse().unwrap(),
        opening: Decimal::ZERO,
        closing: Decimal::ZERO,
    }
}

fn shown(statement: &NewStatement) -> Vec<String> {
    let line = |line: &niyam_domain::NewStatementLine| {
        format!("{} {} {}", line.date, line.amount, line.reference.as_deref().unwrap_or("-"))
    };
    statement.lines.iter().map(line).collect()
}

#[test]
fn a_csv_file_is_read_by_its_column_map() {
    let file = "\u{feff}Date,Particulars,Cheque,Withdrawal,Deposit\r\n\
         03/08/2026,\"Padma, deposit\",INV-1,,\"1,25,000.50\"\r\n\r\n05-08-2026,Rent,4711,79.5,\r\n06.08.2026,x,,(1),\r\n";
    let found = read_csv(file, &map(), balances()).unwrap();
    assert_eq!(shown(&found), ["2026-08-03 125000.50 INV-1", "2026-08-05 -79.5 4711", "2026-08-06 1.0 "]);
    assert_eq!(found.lines[0].description.as_deref(), Some("Padma, deposit"));
    let signed = ColumnMap {
        delimiter: b';',
        is_decimal_comma: true,
        dates: DateOrder::YearMonthDay,
        amount: Some("Betrag".to_owned()),
        credit: None,
        debit: None,
        reference: None,
        description: None,
        ..map()
    };
    let found = read_csv("Date;Betrag\n2026-08-03;-1.234,50\n", &signed, balances()).unwrap();
    assert_eq!(shown(&found), ["2026-08-03 -1234.50 -"]);
}

#[test]
fn a_bad_row_is_told_by_number_and_column() {
    let head = "Date,Particulars,Cheque,Withdrawal,Deposit\n";
    for (row, told) in [
        ("31/02/2026,,,1,", "row 2, column Date: "),
        ("2026-08-03,,,1,", "row 2, column Date: "),
        ("03/08/2026,,,1e3,", "row 2, column Withdrawal: "),
        ("03/08/2026,,,,12,3", "row 2, column Deposit: "),
        ("03/08/2026,,,,1.2.3", "row 2, column Deposit: "),
        ("03/08/2026,,,,", "row 2: it has no amount"),
    ] {
        let row = if row.ends_with("12,3") { "03/08/2026,,,,\"12,3\"" } else { row };
        let refused = read_csv(&format!("{head}{row}\n"), &map(), balances()).unwrap_err();
        assert_eq!(refused.rule, "statement-row-invalid");
        assert!(refused.message.starts_with(told), "{row}: {}", refused.message);
    }
    let missing = read_csv("Date,Deposit\n", &map(), balances()).unwrap_err();
    assert_eq!(missing.message, "row 1, column Withdrawal: there is no such column");
    let many = format!("{head}{}", "03/08/2026,,,1,\n".repeat(5_001));
    assert_eq!(read_csv(&many, &map(), balances()).unwrap_err().rule, "statement-lines-count");
    let wide = ",".repeat(1_000);
    assert_eq!(read_csv(&wide, &map(), balances()).unwrap_err().rule, "statement-unreadable");
}

const MT940: &str = "{1:F01AAAABDDHAXXX0000000000}{2:I940AAAABDDHXXXXN}{4:\r\n:20:STMT1\r\n:25:BD/001-17\r\n\
     :28C:00017/001\r\n:60F:C260801BDT100,00\r\n:61:2608030803C50,00NTRFINV-1//BANK1\r\n:86:Deposit of Padma\r\n\
     :61:260805D79,50NMSCNONREF\r\n:62F:C260805BDT70,50\r\n-}\r\n";

#[test]
fn an_mt940_file_is_read() {
    let found = read_mt940(MT940).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(shown(&found[0]), ["2026-08-03 50.00 INV-1 BANK1", "2026-08-05 -79.50 -"]);
    assert_eq!(
        (found[0].opening.to_string(), found[0].closing.to_string()),
        ("100.00".to_owned(), "70.50".to_owned())
    );
    assert_eq!((found[0].number.as_deref(), found[0].currency.code()), (Some("00017"), "BDT"));
    assert_eq!(found[0].lines[0].description.as_deref(), Some("Deposit of Padma"));
    // Lines end as the file's system ends them.
    assert_eq!(read_mt940(&MT940.replace("\r\n", "\n")).unwrap(), found);
}

#[test]
fn what_is_no_mt940_is_refused_and_ends_nothing() {
    let bad_day = MT940.replace(":61:2608030803C", ":61:2608030231C");
    let no_close = MT940.replace(":62F:C260805BDT70,50\r\n", "");
    let currency = MT940.replace("62F:C260805BDT", "62F:C260805USD");
    for file in ["", "hello", ":20:", "{4:", &bad_day, &no_close, &currency, &":86:x\r\n".repeat(10_000)] {
        assert_eq!(read_mt940(file).unwrap_err().rule, "statement-unreadable", "{file:.60}");
    }
}

const CAMT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><GrpHdr><MsgId>1</MsgId></GrpHdr><Stmt>
<Id>S1</Id><ElctrncSeqNb>17</ElctrncSeqNb><FrToDt><FrDtTm>2026-08-01T00:00:00</FrDtTm><ToDtTm>2026-08-31T23:59:59</ToDtTm></FrToDt>
<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="BDT">100</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-08-01</Dt></Dt></Bal>
<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="BDT">70.50</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-08-31</Dt></Dt></Bal>
<Ntry><Amt Ccy="BDT">50.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-08-03</Dt></BookgDt>
<NtryDtls><TxDtls><Refs><EndToEndId>INV-1</EndToEndId></Refs><RltdPties><Dbtr><Pty><Nm>Padma &amp; Sons</Nm></Pty></Dbtr></RltdPties>
<RmtInf><Ustrd>Invoice 1</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>
<Ntry><Amt Ccy="BDT">79.50</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><DtTm>2026-08-05T10:00:00</DtTm></BookgDt></Ntry>
<Ntry><Amt Ccy="BDT">1.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>PDNG</Sts><BookgDt><Dt>2026-08-06</Dt></BookgDt></Ntry>
</Stmt></BkToCstmrStmt></Document>"#;

#[test]
fn a_camt_file_is_read() {
    let found = read_camt(CAMT).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(shown(&found[0]), ["2026-08-03 50.00 INV-1", "2026-08-05 -79.50 -"]);
    assert_eq!(found[0].lines[0].counterparty.as_deref(), Some("Padma & Sons"));
    assert_eq!(found[0].lines[0].description.as_deref(), Some("Invoice 1"));
    assert_eq!(found[0].number.as_deref(), Some("17"));
    assert_eq!(found[0].ends.unwrap().to_string(), "2026-08-31");
}

#[test]
fn entities_depth_and_size_of_a_camt_file_are_refused() {
    let lol: Vec<String> =
        (1..10).map(|n| format!("<!ENTITY l{n} \"&l{0};&l{0};&l{0};&l{0};\">", n - 1)).collect();
    let lol = lol.concat();
    let bomb = CAMT.replace("<Document ", &format!("<!DOCTYPE d [<!ENTITY l0 \"lol\">{lol}]><Document "));
    let outside = CAMT.replace("<Document ", "<!DOCTYPE d SYSTEM \"file:///etc/passwd\"><Document ");
    let deep = format!("{}{}", "<a>".repeat(200_000), "</a>".repeat(200_000));
    let hidden = format!("<!-- </a> --><a>{}", "<a b='/>'>".repeat(100_000));
    let wide = format!("<a>{}</a>", "<b/>".repeat(600_000));
    let entity = CAMT.replace("Invoice 1", "&unknown;");
    let two = CAMT.replace("Ccy=\"BDT\">79.50", "Ccy=\"USD\">79.50");
    let no_close = CAMT.replace("CLBD", "ITBD");
    let amount = CAMT.replace("79.50", "-79.50");
    let day = CAMT.replace("2026-08-03", "2026-08-32");
    for file in
        ["", "<a/>", "{}", &bomb, &outside, &deep, &hidden, &wide, &entity, &two, &no_close, &amount, &day]
    {
        assert_eq!(read_camt(file).unwrap_err().rule, "statement-unreadable", "{file:.60}");
    }
}
