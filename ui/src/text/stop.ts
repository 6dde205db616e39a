/** Words of stopping every agent, and of what other programs ask for. */
export const stop = {
  button: "Stop all agents",
  stopping: "Stopping…",
  stopped: "Agents stopped",
  title: "All agents are stopped.",
  since: "Since",
  means: "No agent gets anything until you resume.",
  unrecorded: "This is not yet written to disk; we keep trying. Until then, a restart may let agents go on.",
  failed: "The agents may not be stopped.",
  resume: "Resume",
  revokeAll: "Also revoke everything at the banks",
};

export const resumeAgents = {
  title: "Let all agents go on",
  means: ["Agents can use their connections again.", "What you paused or revoked stays that way."],
  confirm: "Resume",
  working: "Resuming…",
  keep: "Keep them stopped",
};

export const revokeAll = {
  title: "Revoke everything at the banks",
  means: [
    "Every connection ends here, for good.",
    "Every bank is told, however long that takes.",
    "Agents may keep what they have already seen.",
    "To go on later, you connect each one again.",
  ],
  confirm: "Revoke everything",
  working: "Revoking…",
  keep: "Keep the connections",
};

export const asked = {
  title: {
    connect: "A program asks to connect an account",
    resume: "A program asks to resume a connection",
    resume_agent: "A program asks to let an agent go on",
    resume_agents: "A program asks to let all agents go on",
    widen: "A program asks to give something back",
  },
  byAgent: "An agent asks to connect an account",
  fromAgent: (agent: string) => `Asked by ${agent}`,
  from: "Asked by a program on this computer",
  resume: (agent: string, bank: string) => `${agent} at ${bank} is paused. It could be used again.`,
  resumeAgent: (agent: string) => `${agent} is paused. It could use its connections again.`,
  resumeAgents: "All agents are stopped. They could use their connections again.",
  widen: (agent: string, bank: string) =>
    `You had narrowed ${agent} at ${bank}. It could use all of it again.`,
  signIn: "You then sign in at the bank. Nothing is connected before that.",
  safe: "If you did not start this yourself, say no.",
  yes: "Go on",
  no: "No",
  more: (n: number) => (n === 1 ? "1 more is waiting after this." : `${n} more are waiting after this.`),
};
