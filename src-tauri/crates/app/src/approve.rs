//! The person answers an agent's question: what they said yes to is what was drawn.

use contract::ui::{
    AnswerApproval, ApprovalAnswer, ApprovalOperation, ApprovalView, ApprovalWhat, MoneyView, PendingApproval,
};
use domain::agent::Agent;
use domain::audit::{AuditEvent, QuestionEnd};
use domain::grant::{Account, Grant};
use domain::id::{ChoiceId, QuestionId, hex};
use domain::lease::{Scope, Terms};
use domain::lock::Protection;
use domain::policy::{Choice, asks, risk};
use domain::profile::Profile;
use domain::secret::Passphrase;
use domain::task::Payment;
use sha2::{Digest as _, Sha256};

use crate::port::{Clock as _, Ports, Store as _};
use crate::questions::Asked;
use crate::report::Refusal;
use crate::start::App;
use crate::view;

/// A yes that holds for a while holds no longer than this.
const MOST_DAYS: u16 = 90;

impl<P: Ports> App<P> {
    /// The question that is to be drawn now.
    ///
    /// # Errors
    /// The store; so for every method here.
    pub async fn pending_approval(&self) -> Result<PendingApproval, Refusal> {
        self.open_questions().await.map(|open| PendingApproval { question: open.into_iter().next() })
    }

    /// Every open question, oldest first.
    ///
    /// # Errors
    /// The store.
    pub async fn open_questions(&self) -> Result<Vec<ApprovalView>, Refusal> {
        self.end_questions_that_are_over().await;
        let open: Vec<Asked> = self.0.broker.questions().open_ones().cloned().collect();
        if open.is_empty() {
            return Ok(Vec::new());
        }
        let read = self.0.ports.store().read(|tx| {
            let protection = tx.kek()?.map_or(Protection::default(), |kek| kek.protection);
            Ok((tx.agents()?, tx.grants()?.sound, protection))
        });
        let (agents, grants, protection) = read.await?;
        let mut waiting = u32::try_from(open.len()).unwrap_or(u32::MAX);
        let mut views = Vec::with_capacity(open.len());
        for asked in &open {
            waiting = waiting.saturating_sub(1);
            let Some(grant) = grants.iter().find(|grant| grant.id == asked.grant) else { continue };
            if let Some(view) = self.draw(asked, grant, &agents, protection) {
                views.push(ApprovalView { waiting, ..view });
            }
        }
        Ok(views)
    }

    /// The person answers in the approval window. The next question, if there is one.
    ///
    /// # Errors
    /// The question is over, something else was drawn, the passphrase is another one, or nothing could be written.
    pub async fn answer_approval(&self, request: AnswerApproval) -> Result<PendingApproval, Refusal> {
        let id = QuestionId::parse(&request.id).map_err(|_| Refusal::Malformed)?;
        let view = self.drawn(id, &request.drawn).await?;
        match request.answer {
            ApprovalAnswer::AllowOnce {} | ApprovalAnswer::AllowFor { .. } => {
                self.must_be_open()?;
                if view.needs_passphrase {
                    let given = request.passphrase.ok_or(Refusal::PassphraseWrong)?.take();
                    let passphrase = Passphrase::parse(given).map_err(|_| Refusal::PassphraseWrong)?;
                    self.check_passphrase(passphrase).await?;
                }
                let days = match request.answer {
                    ApprovalAnswer::AllowFor { days } => Some(days),
                    ApprovalAnswer::AllowOnce {} | ApprovalAnswer::Deny {} | ApprovalAnswer::NotMine {} => {
                        None
                    }
                };
                self.allow(id, &view, days).await?;
            }
            ApprovalAnswer::Deny {} => drop(self.close_question(id, QuestionEnd::Denied).await?),
            ApprovalAnswer::NotMine {} => {
                let asked = self.close_question(id, QuestionEnd::NotMine).await?;
                self.0.broker.leases.end_of(asked.agent);
                self.agents_changed();
            }
        }
        self.pending_approval().await
    }

    /// The person said yes at a terminal, and was asked for the passphrase there.
    ///
    /// # Errors
    /// As [`Self::answer_approval`].
    pub(crate) async fn approve_from_elsewhere(
        &self,
        id: QuestionId,
        drawn: &str,
        days: Option<u16>,
    ) -> Result<(), Refusal> {
        self.must_be_open()?;
        let view = self.drawn(id, drawn).await?;
        self.allow(id, &view, days).await
    }

    /// A no without more: the approval window was closed over a question, or somebody said no elsewhere.
    ///
    /// # Errors
    /// The question is over.
    pub async fn approval_closed(&self, id: QuestionId) -> Result<(), Refusal> {
        self.close_question(id, QuestionEnd::Denied).await.map(drop)
    }

    /// Every open question is a no: everything was stopped.
    pub(crate) fn refuse_questions(&self) {
        let open: Vec<QuestionId> = self.0.broker.questions().open_ones().map(|asked| asked.id).collect();
        for id in open {
            let app = self.clone();
            tokio::spawn(async move {
                // One that was answered meanwhile: what was given by that is over with the leases.
                let _ = app.close_question(id, QuestionEnd::Denied).await;
            });
        }
        self.decline_enrolments();
    }

    /// The question as it is drawn now, if that is what the person saw.
    async fn drawn(&self, id: QuestionId, drawn: &str) -> Result<ApprovalView, Refusal> {
        let id = id.to_string();
        let view = self.open_questions().await?.into_iter().find(|view| view.id == id);
        view.filter(|view| view.drawn == drawn).ok_or(Refusal::ApprovalOver)
    }

    /// Says yes, once or for some days.
    async fn allow(&self, id: QuestionId, view: &ApprovalView, days: Option<u16>) -> Result<(), Refusal> {
        let Some(days) = days else {
            return self.close_question(id, QuestionEnd::AllowedOnce).await.map(drop);
        };
        if !view.may_remember || !(1..=MOST_DAYS).contains(&days) {
            return Err(Refusal::Malformed);
        }
        let asked = self.0.broker.questions().open_ones().find(|asked| asked.id == id).cloned();
        let asked = asked.ok_or(Refusal::ApprovalOver)?;
        self.remember(&asked, days).await?;
        self.close_question(id, QuestionEnd::AllowedFor).await?;
        self.agents_changed();
        Ok(())
    }

    async fn remember(&self, asked: &Asked, days: u16) -> Result<(), Refusal> {
        let grant = self.known_grant(asked.grant).await?;
        let provider = self.0.catalogue.provider(&grant.provider).ok_or(Refusal::ApprovalOver)?;
        let now = self.0.ports.clock().now();
        let until = now.plus_days(days).min(grant.allowed_until());
        let mut choices = Vec::new();
        for operation in asked.terms.operations().filter_map(|id| provider.profile.operation(id)) {
            if asks(risk(&provider.profile, operation)) {
                choices.push(Choice {
                    id: ChoiceId::make_from(now, self.0.random()?),
                    agent: asked.agent,
                    grant: asked.grant,
                    operation: operation.id.clone(),
                    purpose_class: asked.purpose_class,
                    until,
                    made_at: now,
                });
            }
        }
        let stored = self.0.ports.store().write(move |tx| {
            for choice in &choices {
                tx.put_choice(choice)?;
                tx.append_audit(now, &made(choice))?;
            }
            Ok(())
        });
        Ok(stored.await?)
    }

    /// The question as the window shows it; what of it could change is in `drawn`.
    fn draw(
        &self,
        asked: &Asked,
        grant: &Grant,
        agents: &[Agent],
        protection: Protection,
    ) -> Option<ApprovalView> {
        let provider = self.0.catalogue.provider(&grant.provider)?;
        let pays = matches!(asked.terms, Terms::Pay { .. });
        let mut drawn = ApprovalView {
            id: asked.id.to_string(),
            drawn: String::new(),
            agent: view::agent_mark(agents, asked.agent),
            program: asked.program.clone(),
            bank: view::bank_mark(Some(provider), &grant.provider, &grant.provider_name, &grant.issuer),
            grant: grant.id.to_string(),
            what: what(&asked.terms, asked.uses, grant, &provider.profile)?,
            purpose: asked.purpose.as_str().to_owned(),
            purpose_class: view::purpose_class(asked.purpose_class),
            asked_at: asked.at.millis(),
            runs_out_at: asked.runs_out_at.millis(),
            lease_seconds: u32::from(asked.lifetime),
            may_remember: !pays,
            needs_passphrase: pays && protection.has_passphrase(),
            waiting: 0,
        };
        let bytes = serde_json::to_vec(&drawn).ok()?;
        drawn.drawn = hex(&Sha256::digest(bytes));
        Some(drawn)
    }
}

fn made(choice: &Choice) -> AuditEvent {
    AuditEvent::ChoiceMade {
        agent: choice.agent,
        grant: choice.grant,
        choice: choice.id,
        operation: choice.operation.clone(),
        purpose_class: choice.purpose_class,
        until: choice.until,
    }
}

fn what(terms: &Terms, uses: u16, grant: &Grant, profile: &Profile) -> Option<ApprovalWhat> {
    match terms {
        Terms::Pay { payment, debtor } => Some(payment_what(payment, debtor.as_deref(), grant)),
        Terms::Look(scopes) => {
            let operation = |id| {
                let operation = profile.operation(id)?;
                let permission = profile.permission(&operation.permission)?;
                let says = permission.can_see.as_ref().map(|sees| format!("see {sees}"));
                Some(ApprovalOperation {
                    id: operation.id.to_string(),
                    says: says.or_else(|| permission.can_do.clone())?,
                    risk: view::risk(risk(profile, operation)),
                })
            };
            let named = |account: &&Account| scopes.iter().any(|scope| scope.accounts.contains(&account.id));
            let about_accounts = terms
                .operations()
                .any(|id| profile.operation(id).is_some_and(|operation| operation.account.is_some()));
            let accounts = grant.allowed_accounts().filter(named).filter(|_| about_accounts);
            Some(ApprovalWhat::Operations {
                operations: terms.operations().map(operation).collect::<Option<_>>()?,
                accounts: accounts.map(view::account).collect(),
                uses,
                date_from: day(scopes, |scope| scope.from.as_ref().map(|day| day.as_str().to_owned())),
                date_to: day(scopes, |scope| scope.to.as_ref().map(|day| day.as_str().to_owned())),
            })
        }
    }
}

/// A limit that all entries share; else there is none that could be drawn for all.
fn day(scopes: &[Scope], of: impl Fn(&Scope) -> Option<String>) -> Option<String> {
    let first = of(scopes.first()?)?;
    scopes.iter().all(|scope| of(scope).as_ref() == Some(&first)).then_some(first)
}

fn payment_what(payment: &Payment, debtor: Option<&str>, grant: &Grant) -> ApprovalWhat {
    let from = debtor.and_then(|id| grant.allowed_accounts().find(|account| account.id == id));
    // The bank's id of the payee is what counts; the name beside it is the agent's word for it.
    ApprovalWhat::Payment {
        to: payment.creditor_name.clone().unwrap_or_else(|| payment.creditor.clone()),
        to_account: Some(domain::text::quoted(&payment.creditor, 40)),
        amount: MoneyView {
            amount: payment.amount.amount.to_string(),
            currency: payment.amount.currency.as_str().to_owned(),
        },
        from: from.map(view::account),
        reference: payment.reference.clone(),
        says: "make a payment".to_owned(),
    }
}
