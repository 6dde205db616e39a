/** Dates and times as people say them. All arithmetic is in the computer's own time zone. */

export const DAY = 86_400_000;

const TIME = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const DATE = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long" });
const DATE_AND_YEAR = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric" });
const EXACT = new Intl.DateTimeFormat("en-GB", {
  weekday: "long",
  day: "numeric",
  month: "long",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  timeZoneName: "short",
});

/** Midnight at the start of a day, `days` later; safe over a change of the clocks. */
function midnight(ms: number, days = 0): number {
  const date = new Date(ms);
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + days).getTime();
}

/** Whole calendar days from `now` to `ms`: 0 today, 1 tomorrow, -1 yesterday. */
function daysFromNow(ms: number, now: number): number {
  return Math.round((midnight(ms) - midnight(now)) / DAY);
}

/** The last millisecond of the day that is `days` after `now`. */
export function endOfDay(now: number, days = 0): number {
  return midnight(now, days + 1) - 1;
}

/** The last millisecond of a day written `YYYY-MM-DD`, or null. */
export function endOfDate(text: string): number | null {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (!parts) return null;
  const [year, month, day] = [Number(parts[1]), Number(parts[2]), Number(parts[3])];
  const date = new Date(year, month - 1, day);
  if (date.getMonth() !== month - 1 || date.getDate() !== day) return null;
  return endOfDay(date.getTime());
}

/** `YYYY-MM-DD`, as a date field wants it. */
export function asField(ms: number): string {
  const date = new Date(ms);
  const two = (n: number) => String(n).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** "14:05". */
export function clock(ms: number): string {
  return TIME.format(ms);
}

/** "today", "tomorrow", "yesterday", "21 February", "21 February 2027". */
export function day(ms: number, now: number): string {
  const days = daysFromNow(ms, now);
  if (days === 0) return "today";
  if (days === 1) return "tomorrow";
  if (days === -1) return "yesterday";
  return date(ms, now);
}

/** "21 February", with the year where it is another one. */
export function date(ms: number, now: number): string {
  const sameYear = new Date(ms).getFullYear() === new Date(now).getFullYear();
  return (sameYear ? DATE : DATE_AND_YEAR).format(ms);
}

/** "today 09:14", "yesterday 18:02", "3 days ago", "21 February". */
export function moment(ms: number, now: number): string {
  const days = daysFromNow(ms, now);
  if (days >= -1 && days <= 1) return `${day(ms, now)} ${clock(ms)}`;
  if (days < 0 && days >= -6) return `${-days} days ago`;
  return date(ms, now);
}

/** "at 14:05" today, otherwise with its day: "yesterday at 14:05", "on 21 February at 14:05". */
export function at(ms: number, now: number): string {
  const days = daysFromNow(ms, now);
  if (days === 0) return `at ${clock(ms)}`;
  return days === 1 || days === -1
    ? `${day(ms, now)} at ${clock(ms)}`
    : `on ${date(ms, now)} at ${clock(ms)}`;
}

/** What follows "until": "14:05" where that can only be the next one, otherwise "tomorrow 14:05". */
export function until(ms: number, now: number): string {
  const soon = ms >= now && ms - now < DAY / 2;
  return soon || daysFromNow(ms, now) === 0 ? clock(ms) : `${day(ms, now)} ${clock(ms)}`;
}

/** "Saturday, 21 February 2026 at 14:05 GMT". */
export function exact(ms: number): string {
  return EXACT.format(ms);
}
