//! What the host knows of agents while it runs.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::agent_pace::Paces;
use crate::enrol_agent::Enrolments;
use crate::leases::Leases;
use crate::questions::Questions;
use crate::watch_agents::Watch;

/// All of it; with the host, it ends.
#[derive(Default)]
pub(crate) struct Broker {
    pub(crate) leases: Leases,
    pub(crate) paces: Paces,
    questions: Mutex<Questions>,
    enrolments: Mutex<Enrolments>,
    watch: Mutex<Watch>,
}

impl Broker {
    /// The questions; a poisoned lock still holds valid data, since every change is whole. So for all here.
    pub(crate) fn questions(&self) -> MutexGuard<'_, Questions> {
        self.questions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The programs that ask to be added.
    pub(crate) fn enrolments(&self) -> MutexGuard<'_, Enrolments> {
        self.enrolments.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the rules have seen.
    pub(crate) fn watch(&self) -> MutexGuard<'_, Watch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
