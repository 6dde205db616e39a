//! Questions of agents' tasks that wait for the person: one at a time on screen, one of each agent, each once.
//!
//! **Invariant:** a question that nobody answers, whose asker has gone, or whose time is over is a no.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::audit::QuestionEnd;
use domain::id::{AgentId, GrantId, QuestionId};
use domain::lease::Terms;
use domain::task::{Purpose, PurposeClass};
use domain::time::Timestamp;
use tokio::sync::watch;

use crate::asked::too_many;
use crate::refused::Refused;

/// How long a question waits.
pub(crate) const WAITS: Duration = Duration::from_secs(5 * 60);
/// How long a question outlives its asker, who may come back with the same task.
pub(crate) const OUTLIVES: Duration = Duration::from_secs(10);
/// How many questions may be open at once.
const MOST: usize = 16;
/// How many an agent may ask anew in a minute.
const PACE: usize = 3;

/// The questions of this run.
#[derive(Default)]
pub(crate) struct Questions {
    list: Vec<Question>,
    asked_at: BTreeMap<AgentId, Vec<Duration>>,
}

/// What is asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) id: QuestionId,
    /// The task's content: the same task, signed anew, is the same question.
    pub(crate) content: [u8; 32],
    pub(crate) agent: AgentId,
    pub(crate) grant: GrantId,
    pub(crate) terms: Terms,
    pub(crate) uses: u16,
    pub(crate) lifetime: u16,
    pub(crate) purpose: Purpose,
    pub(crate) purpose_class: PurposeClass,
    /// The program at the other end of the connection; to be shown, and no evidence.
    pub(crate) program: Option<String>,
    pub(crate) at: Timestamp,
    pub(crate) runs_out_at: Timestamp,
}

struct Question {
    asked: Asked,
    ends: Duration,
    state: State,
    /// Requests that are kept open for it.
    askers: usize,
    /// Since when there is none.
    left: Option<Duration>,
    said: watch::Sender<Option<QuestionEnd>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// The answer is being written down.
    Closing,
    Closed,
    /// A yes that was used, or a no that was heard.
    Used,
}

/// How a task meets the questions.
pub(crate) enum Met {
    /// It is this question, asked before.
    Same(QuestionId),
    /// It is a new one.
    New,
}

impl Questions {
    /// Finds the question of a task, open or answered, or room for a new one.
    ///
    /// # Errors
    /// [`Refused::TooMany`]: the agent has another question open, or has asked too often.
    pub(crate) fn meet(&mut self, agent: AgentId, content: &[u8; 32], now: Duration) -> Result<Met, Refused> {
        self.list.retain(|question| now < question.ends + OUTLIVES && question.state != State::Used);
        let same = |question: &&Question| question.asked.agent == agent && question.asked.content == *content;
        if let Some(question) = self.list.iter().find(same) {
            return Ok(Met::Same(question.asked.id));
        }
        let waits = |question: &Question| matches!(question.state, State::Open | State::Closing);
        let open = self.list.iter().filter(|question| waits(question));
        if open.clone().any(|question| question.asked.agent == agent) || open.count() >= MOST {
            return Err(Refused::TooMany);
        }
        if too_many(self.asked_at.entry(agent).or_default(), now, PACE) {
            return Err(Refused::TooMany);
        }
        Ok(Met::New)
    }

    /// Puts a new one at the end.
    pub(crate) fn open(&mut self, asked: Asked, now: Duration) {
        let said = watch::Sender::new(None);
        let question =
            Question { asked, ends: now + WAITS, state: State::Open, askers: 0, left: Some(now), said };
        self.list.push(question);
    }

    /// A request waits for the answer.
    pub(crate) fn wait(&mut self, id: QuestionId) -> Option<watch::Receiver<Option<QuestionEnd>>> {
        let question = self.find(id)?;
        question.askers += 1;
        question.left = None;
        Some(question.said.subscribe())
    }

    /// A request that waited is over.
    pub(crate) fn leave(&mut self, id: QuestionId, now: Duration) {
        if let Some(question) = self.find(id) {
            question.askers = question.askers.saturating_sub(1);
            if question.askers == 0 {
                question.left = Some(now);
            }
        }
    }

    /// The open questions, in the order in which they came.
    pub(crate) fn open_ones(&self) -> impl Iterator<Item = &Asked> {
        self.list.iter().filter(|question| question.state == State::Open).map(|question| &question.asked)
    }

    /// Takes an open question to write its answer down: nobody else answers it meanwhile.
    pub(crate) fn close_begins(&mut self, id: QuestionId) -> Option<Asked> {
        let question = self.find(id).filter(|question| question.state == State::Open)?;
        question.state = State::Closing;
        Some(question.asked.clone())
    }

    /// The answer could not be written down.
    pub(crate) fn close_fails(&mut self, id: QuestionId) {
        if let Some(question) = self.find(id).filter(|question| question.state == State::Closing) {
            question.state = State::Open;
        }
    }

    /// The answer is written down: whoever waits hears it.
    pub(crate) fn close_ends(&mut self, id: QuestionId, end: QuestionEnd) {
        if let Some(question) = self.find(id).filter(|question| question.state == State::Closing) {
            question.state = State::Closed;
            question.said.send_replace(Some(end));
        }
    }

    /// Uses a yes, once: what was allowed, and which question that was.
    pub(crate) fn take_yes(&mut self, id: QuestionId) -> Option<Terms> {
        let question = self.find(id).filter(|question| question.state == State::Closed)?;
        let yes = matches!(*question.said.borrow(), Some(QuestionEnd::AllowedFor | QuestionEnd::AllowedOnce));
        if !yes {
            return None;
        }
        question.state = State::Used;
        Some(question.asked.terms.clone())
    }

    /// A no was heard by who asked: the same task, presented again, is asked anew.
    pub(crate) fn heard(&mut self, id: QuestionId) {
        if let Some(question) = self.find(id).filter(|question| question.state == State::Closed) {
            question.state = State::Used;
        }
    }

    /// Open questions that have become a no by themselves.
    pub(crate) fn over(&self, now: Duration) -> Vec<(QuestionId, QuestionEnd)> {
        let ended = |question: &Question| {
            if now >= question.ends {
                Some((question.asked.id, QuestionEnd::RanOut))
            } else if question.left.is_some_and(|left| now >= left + OUTLIVES) {
                Some((question.asked.id, QuestionEnd::Withdrawn))
            } else {
                None
            }
        };
        self.list.iter().filter(|question| question.state == State::Open).filter_map(ended).collect()
    }

    fn find(&mut self, id: QuestionId) -> Option<&mut Question> {
        self.list.iter_mut().find(|question| question.asked.id == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn agent(n: u8) -> AgentId {
        AgentId::make_from(Timestamp::from_millis(0), [n; 10])
    }

    fn id(n: u8) -> QuestionId {
        QuestionId::make_from(Timestamp::from_millis(0), [n; 10])
    }

    fn asked(n: u8, of: u8) -> Asked {
        Asked {
            id: id(n),
            content: [n; 32],
            agent: agent(of),
            grant: GrantId::make_from(Timestamp::from_millis(0), [1; 10]),
            terms: Terms::Look(Vec::new()),
            uses: 1,
            lifetime: 300,
            purpose: Purpose::parse("x").unwrap(),
            purpose_class: PurposeClass::Other,
            program: None,
            at: Timestamp::from_millis(0),
            runs_out_at: Timestamp::from_millis(0),
        }
    }

    fn is_new(questions: &mut Questions, n: u8, of: u8, now: u64) -> bool {
        matches!(questions.meet(agent(of), &[n; 32], at(now)), Ok(Met::New))
    }

    #[test]
    fn one_question_of_an_agent_at_a_time_and_three_a_minute() {
        let mut questions = Questions::default();
        assert!(is_new(&mut questions, 1, 1, 0));
        questions.open(asked(1, 1), at(0));
        assert!(matches!(questions.meet(agent(1), &[1; 32], at(1)), Ok(Met::Same(same)) if same == id(1)));
        assert!(questions.meet(agent(1), &[2; 32], at(1)).is_err(), "another while one is open");
        assert!(is_new(&mut questions, 1, 2, 1), "the same words of another agent are another question");
        for n in 2..4 {
            questions.close_begins(id(n - 1)).unwrap();
            questions.close_ends(id(n - 1), QuestionEnd::Denied);
            assert!(is_new(&mut questions, n, 1, 2));
            questions.open(asked(n, 1), at(2));
        }
        questions.close_begins(id(3)).unwrap();
        questions.close_ends(id(3), QuestionEnd::Denied);
        assert!(questions.meet(agent(1), &[4; 32], at(3)).is_err(), "a fourth in a minute");
        assert!(is_new(&mut questions, 4, 1, 61));
    }

    #[test]
    fn a_yes_is_used_once_and_a_no_never() {
        let mut questions = Questions::default();
        questions.open(asked(1, 1), at(0));
        assert!(questions.take_yes(id(1)).is_none(), "nobody has answered");
        questions.close_begins(id(1)).unwrap();
        assert!(questions.close_begins(id(1)).is_none(), "one answer");
        assert!(questions.take_yes(id(1)).is_none(), "it is not written down");
        questions.close_ends(id(1), QuestionEnd::AllowedOnce);
        assert!(questions.take_yes(id(1)).is_some());
        assert!(questions.take_yes(id(1)).is_none());
        for end in [QuestionEnd::Denied, QuestionEnd::NotMine, QuestionEnd::RanOut, QuestionEnd::Withdrawn] {
            questions.open(asked(2, 2), at(0));
            questions.close_begins(id(2)).unwrap();
            questions.close_ends(id(2), end);
            assert!(questions.take_yes(id(2)).is_none(), "{end:?}");
            questions.list.clear();
        }
    }

    #[test]
    fn what_nobody_waits_for_or_answers_is_over() {
        let mut questions = Questions::default();
        questions.open(asked(1, 1), at(0));
        let _waiting = questions.wait(id(1)).unwrap();
        assert_eq!(questions.over(at(299)), []);
        assert_eq!(questions.over(at(300)), [(id(1), QuestionEnd::RanOut)]);
        questions.leave(id(1), at(20));
        assert_eq!(questions.over(at(29)), [], "it may come back");
        assert_eq!(questions.over(at(30)), [(id(1), QuestionEnd::Withdrawn)]);
        let _again = questions.wait(id(1)).unwrap();
        assert_eq!(questions.over(at(60)), []);
    }
}
