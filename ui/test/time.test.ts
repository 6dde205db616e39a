import { describe, expect, test } from "vitest";
import { asField, at, DAY, day, endOfDate, endOfDay, exact, moment, until } from "../src/shared/time";

const now = Date.UTC(2026, 1, 10, 12, 0);

describe("dates as people say them", () => {
  test.each([
    [now - 3 * 3_600_000 + 14 * 60_000, "today 09:14"],
    [now - DAY, "yesterday 12:00"],
    [now + DAY, "tomorrow 12:00"],
    [now - 3 * DAY, "3 days ago"],
    [now - 30 * DAY, "11 January"],
    [now - 60 * DAY, "12 December 2025"],
    [now + 11 * DAY, "21 February"],
  ])("%d is %s", (ms, said) => expect(moment(ms, now)).toBe(said));

  test("a time today stands alone, another day comes before it", () => {
    expect(at(now + 5 * 60_000, now)).toBe("at 12:05");
    expect(at(now + DAY, now)).toBe("tomorrow at 12:00");
    expect(at(now - DAY, now)).toBe("yesterday at 12:00");
    expect(at(now - 30 * DAY, now)).toBe("on 11 January at 12:00");
    expect(until(now + 5 * 60_000, now)).toBe("12:05");
    expect(until(now + 11 * 3_600_000, now)).toBe("23:00");
    expect(until(now + DAY, now)).toBe("tomorrow 12:00");
    const late = Date.UTC(2026, 1, 10, 23, 58);
    expect(until(late + 5 * 60_000, late)).toBe("00:03");
    expect(day(now, now)).toBe("today");
    expect(exact(now)).toContain("10 February 2026");
  });

  test("the last day is whole", () => {
    expect(endOfDay(now)).toBe(Date.UTC(2026, 1, 11) - 1);
    expect(endOfDate("2026-02-21")).toBe(Date.UTC(2026, 1, 22) - 1);
    expect(asField(endOfDay(now))).toBe("2026-02-10");
  });

  test.each(["", "2026-02-30", "21.2.2026", "2026-13-01"])("%s is no date", (text) =>
    expect(endOfDate(text)).toBeNull(),
  );
});
