import type { EndingView } from "../ipc/generated/contract";

/** Every way an attempt can end. */
export type EndingKind = EndingView["kind"];

/** What else the ending's screen offers. */
export type Offer = "again" | "unlock" | "choose_less";

/** An ending as its own screen: what happened, what it means for money and access, what to do. */
export type EndingWords = {
  title: string;
  means: string[];
  todo: string[];
  offers: Offer[];
  /** The person may have to act at the bank: its page for that is shown. */
  atBank?: boolean;
  detail?: string;
};

type Writer<K extends EndingKind> = (
  ending: Extract<EndingView, { kind: K }>,
  names: { bank: string; agent: string },
) => EndingWords;

const NOTHING = "Nothing was connected.";
/** The same, where a connection was to be renewed. */
const UNCHANGED = "Nothing changed. The connection you had is as it was.";

/** One screen per ending; a missing one does not compile. */
export const ENDINGS: { [K in EndingKind]: Writer<K> } = {
  addresses_changed: ({ member }, { bank }) => ({
    title: "The bank's addresses have changed",
    means: [
      `${bank} answers at addresses Countersign does not know.`,
      "We stopped before anything was sent.",
      NOTHING,
    ],
    todo: ["Look for an update of Countersign.", "If there is none, call support with the reference."],
    offers: [],
    detail: `Changed: ${member}`,
  }),
  bank_misbehaved: ({ rule }, { bank }) => ({
    title: "The bank's answer was not right",
    means: [`${bank} sent an answer that breaks the rules.`, "We stopped there.", NOTHING],
    todo: ["Try again later.", "If it happens again, call support with the reference."],
    offers: ["again"],
    detail: `Rule: ${rule}`,
  }),
  bank_refused: ({ code, retry }, { bank }) => ({
    title: `${bank} refused`,
    means: [`${bank} did not allow this connection.`, NOTHING],
    todo: retry
      ? ["The bank may be busy.", "Try again in a few minutes."]
      : ["Trying again will not help.", "Call support with the reference."],
    offers: retry ? ["again"] : [],
    detail: `The bank's own code: “${code}”`,
  }),
  bank_unreachable: (_, { bank }) => ({
    title: `${bank} could not be reached`,
    means: ["The bank did not answer.", NOTHING],
    todo: ["Check your internet connection.", "Then try again."],
    offers: ["again"],
  }),
  cancelled: () => ({
    title: "You cancelled",
    means: [NOTHING, "You can close the bank's page in your browser."],
    todo: ["Try again whenever you like."],
    offers: ["again"],
  }),
  connected: (_, { bank, agent }) => ({
    title: "Connected",
    means: [`${agent} is connected to ${bank}.`],
    todo: [],
    offers: [],
  }),
  declined: (_, { bank, agent }) => ({
    title: "You said no at the bank",
    means: [NOTHING, `${agent} can't see anything at ${bank} through this.`],
    todo: ["If that is what you wanted, you are done."],
    offers: ["again"],
  }),
  interrupted: (_, { bank }) => ({
    title: "Countersign stopped while waiting",
    means: [NOTHING, `You may have said yes at ${bank} already. Nobody here can use that.`],
    todo: [`If you said yes, you can withdraw it at ${bank}.`, "To connect, try again from the start."],
    offers: ["again"],
    atBank: true,
  }),
  keychain_key_lost: () => ({
    title: "Your keychain has lost the key",
    means: ["Countersign can't keep access safe without it.", NOTHING],
    todo: ["Revoke your older connections.", "Then connect again."],
    offers: [],
  }),
  keychain_locked: () => ({
    title: "Your keychain is locked",
    means: ["Countersign keeps access safe with your keychain.", NOTHING],
    todo: ["Unlock your keychain.", "Then try again."],
    offers: ["unlock", "again"],
  }),
  keychain_unavailable: () => ({
    title: "Your keychain does not answer",
    means: ["Countersign keeps access safe with your keychain.", NOTHING],
    todo: ["Check that your keychain is running.", "Then try again."],
    offers: ["again"],
  }),
  nothing_allowed: (_, { bank, agent }) => ({
    title: "Nothing was allowed at the bank",
    means: [`You allowed ${agent} none of what was asked at ${bank}.`, NOTHING],
    todo: ["If that is what you wanted, you are done.", "Otherwise try again and tick what it may see."],
    offers: ["again"],
  }),
  not_saved: ({ bank_told }, { bank }) => ({
    title: "The connection could not be saved",
    means: bank_told
      ? [NOTHING, `${bank} confirmed that it has forgotten the access.`]
      : [NOTHING, `${bank} has not confirmed that it has forgotten the access.`, "Nobody here can use it."],
    todo: bank_told
      ? ["Check that your disk has room.", "Then try again."]
      : [`Withdraw the access at ${bank}.`, "Check that your disk has room, then try again."],
    offers: ["again"],
    atBank: !bank_told,
  }),
  other_account: (_, { bank }) => ({
    title: "The other accounts were not kept",
    means: ["Nothing changed. The connection you had is as it was."],
    todo: [`To renew it, sign in at ${bank} as before.`],
    offers: ["again"],
  }),
  port_taken: (_, { bank }) => ({
    title: "The bank's answer could not be received",
    means: [
      "Another program uses the place where the answer arrives.",
      `Nothing was sent to ${bank}.`,
      NOTHING,
    ],
    todo: ["Close other programs, or restart the computer.", "Then try again."],
    offers: ["again"],
  }),
  timed_out: (_, { bank }) => ({
    title: "Time ran out",
    means: [`No answer came back from ${bank} in time.`, NOTHING],
    todo: ["Try again when you have your sign-in at hand."],
    offers: ["again"],
  }),
  unexpected_server: (_, { bank }) => ({
    // Also where an honest bank passes on a "no" without its name, as django-oauth-toolkit does: claim no more than that.
    title: `The answer may not have come from ${bank}`,
    means: ["We stopped. Nothing was shared.", NOTHING],
    todo: [
      `If you said no at ${bank}, that is all.`,
      "Some banks leave their name out of that answer.",
      "If not, close the page in your browser.",
      "If you typed your password there, call your bank.",
      "Then call support with the reference.",
    ],
    offers: [],
  }),
};

/** The screen of one ending; of a renewal, the connection there was is the one that matters. */
export function endingWords(
  ending: EndingView,
  names: { bank: string; agent: string },
  renewing = false,
): EndingWords {
  const write = ENDINGS[ending.kind] as Writer<EndingKind>;
  const said = write(ending, names);
  if (!renewing) return said;
  return { ...said, means: said.means.map((sentence) => (sentence === NOTHING ? UNCHANGED : sentence)) };
}
