/** Words of the lock, of how the key is kept, and of what the whole app has to say about itself. */
import type { ProtectionView } from "../ipc/generated/contract";

export const locked = {
  title: "Countersign is locked",
  means: "Agents get nothing until you unlock it. Nothing is revoked.",
  passphrase: "Passphrase",
  unlock: "Unlock",
  unlocking: "Unlocking…",
  missing: "Type your passphrase.",
  see: "See and revoke connections",
  still: "Stopping, pausing and revoking work while it is locked.",
  toUnlock: "Unlock",
};

export const settings = {
  title: "Settings",
  lock: "Lock",
  lockMeans: "While Countersign is locked, agents get nothing. You can still stop and revoke.",
  now: "Lock now",
  idle: "Lock when this computer is not used",
  idleChoices: [
    { minutes: null, label: "Never" },
    { minutes: 5, label: "After 5 minutes" },
    { minutes: 15, label: "After 15 minutes" },
    { minutes: 60, label: "After 60 minutes" },
  ] as const,
  idleOther: (minutes: number) => `After ${minutes} minutes`,
  screen: "Lock together with the screen",
  screenMeans: "Only where this system tells Countersign that the screen is locked.",
  saved: "Saved.",
  key: "How your key is kept",
  keyMeans: "One key opens the access your banks gave. Choose where it is kept.",
  change: "Change",
  current: "now",
  data: "Where your data is",
  dataHome: "Everything is in this folder:",
  dataUsual: "Everything is in your own data folder on this computer. Nothing is kept elsewhere.",
  reading: "Reading the settings…",
};

export const protection: Record<ProtectionView, { name: string; means: string[] }> = {
  keychain: {
    name: "In your keychain",
    means: ["Unlocks with your keychain.", "A program running as you could read the key there."],
  },
  keychain_and_passphrase: {
    name: "In your keychain, and under a passphrase",
    means: ["It takes both.", "You type the passphrase after each start and each lock."],
  },
  passphrase: {
    name: "Under a passphrase alone",
    means: [
      "For computers without a keychain.",
      "The passphrase is all that protects it: choose a long one.",
    ],
  },
};

export const changeProtection = {
  title: "Change how your key is kept",
  how: "Keep the key",
  current: "Passphrase you have now",
  fresh: "New passphrase",
  again: "New passphrase, once more",
  hint: "8 characters or more. Several words are best.",
  forgotten: "If you forget it, nobody can open this again.",
  anew: "You would have to revoke at your banks and connect anew.",
  missing: "Type a passphrase.",
  currentMissing: "Type the passphrase you have now.",
  differ: "The two are not the same. Type both again.",
  short: "Use at least 8 characters.",
  unchanged: "It is kept this way already.",
  confirm: "Change",
  working: "Changing. This takes a moment…",
  keep: "Leave it as it is",
  done: "Changed.",
};

export const restored = {
  title: "Countersign's data was put back from an older copy.",
  noticed: "Noticed",
  means: "What it says may be out of date. Every connection has to be reconnected.",
  worried: "If that was not you, find out who did it before you reconnect.",
};

export const clock = {
  means: "Times and dates here may be wrong. Set the clock in your system's settings.",
};
