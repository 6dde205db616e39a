/** Moves the focus to a heading when it appears, so that a new view is read from its top. */
export function arrive(wanted: boolean) {
  return (heading: HTMLElement): void => {
    if (wanted) heading.focus({ preventScroll: true });
  };
}
