//! What was spent and received: by month, currency and category.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::money::Hundredths;

/// A transaction as the bank writes it (FDX): the amount is positive, and the memo says which way it went.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Transaction {
    posted_timestamp: Option<String>,
    transaction_timestamp: Option<String>,
    debit_credit_memo: String,
    amount: Box<RawValue>,
    currency: Option<String>,
    category: Option<String>,
    payee: Option<String>,
    description: Option<String>,
}

impl Transaction {
    fn month(&self) -> String {
        let when = self.posted_timestamp.as_ref().or(self.transaction_timestamp.as_ref());
        when.and_then(|when| when.get(..7)).unwrap_or("undated").to_owned()
    }

    fn what(&self) -> String {
        let named = [&self.category, &self.payee, &self.description];
        let first = named.into_iter().flatten().find(|text| !text.is_empty());
        first.map_or_else(|| "Other".to_owned(), |text| text.chars().take(32).collect())
    }
}

#[derive(Clone, Copy, Default)]
struct Total {
    spent: Hundredths,
    received: Hundredths,
    count: u32,
}

impl Total {
    fn add(&mut self, amount: Hundredths, is_spent: bool) -> anyhow::Result<()> {
        let side = if is_spent { &mut self.spent } else { &mut self.received };
        *side = side.plus(amount)?;
        self.count += 1;
        Ok(())
    }
}

/// A month in one currency: its categories, and all together.
#[derive(Default)]
struct Month {
    categories: BTreeMap<String, Total>,
    all: Total,
}

/// Months in order, each in its currency.
#[derive(Default)]
pub(crate) struct Summary(BTreeMap<(String, String), Month>);

impl Summary {
    /// Counts one more.
    pub(crate) fn add(&mut self, transaction: &Transaction) -> anyhow::Result<()> {
        let amount = Hundredths::parse(transaction.amount.get())?;
        let is_spent = transaction.debit_credit_memo == "DEBIT";
        let currency = transaction.currency.clone().unwrap_or_default();
        let month = self.0.entry((transaction.month(), currency)).or_default();
        month.categories.entry(transaction.what()).or_default().add(amount, is_spent)?;
        month.all.add(amount, is_spent)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return writeln!(f, "  No transactions.");
        }
        for ((month, currency), of) in &self.0 {
            writeln!(f, "  {month}")?;
            let mut spent: Vec<_> = of.categories.iter().filter(|(_, total)| total.spent.0 != 0).collect();
            spent.sort_by_key(|(_, total)| std::cmp::Reverse(total.spent));
            for (category, total) in spent {
                writeln!(f, "    {category:<32} {:>12} {currency}", total.spent)?;
            }
            let (spent, received, count) = (of.all.spent, of.all.received, of.all.count);
            writeln!(f, "    {:<32} {spent:>12} {currency}", "Total spent")?;
            writeln!(f, "    {:<32} {received:>12} {currency}   in {count} transactions", "Received")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_and_categories_are_summed_exactly() {
        let text = r#"[
            {"postedTimestamp":"2026-01-03T00:00:00Z","debitCreditMemo":"DEBIT","amount":0.1,"currency":"USD","category":"Groceries"},
            {"postedTimestamp":"2026-01-04T00:00:00Z","debitCreditMemo":"DEBIT","amount":0.2,"currency":"USD","category":"Groceries"},
            {"postedTimestamp":"2026-01-05T00:00:00Z","debitCreditMemo":"DEBIT","amount":1205.00,"currency":"USD","payee":"Landlord"},
            {"postedTimestamp":"2026-01-06T00:00:00Z","debitCreditMemo":"CREDIT","amount":3000,"currency":"USD","category":"Salary"},
            {"transactionTimestamp":"2026-02-01T00:00:00Z","debitCreditMemo":"DEBIT","amount":"7.5","currency":"EUR"}]"#;
        let transactions: Vec<Transaction> = serde_json::from_str(text).unwrap();
        let mut summary = Summary::default();
        transactions.iter().for_each(|transaction| summary.add(transaction).unwrap());
        let expected = "  2026-01
    Landlord                              1205.00 USD
    Groceries                                0.30 USD
    Total spent                           1205.30 USD
    Received                              3000.00 USD   in 4 transactions
  2026-02
    Other                                    7.50 EUR
    Total spent                              7.50 EUR
    Received                                 0.00 EUR   in 1 transactions
";
        assert_eq!(summary.to_string(), expected);
    }
}
