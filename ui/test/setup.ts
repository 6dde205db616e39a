import "@testing-library/jest-dom/vitest";

/** jsdom has no modal dialogs and no scrolling; these do what the tests need of them. */
function fillIn(): void {
  HTMLDialogElement.prototype.showModal = function (this: HTMLDialogElement) {
    this.setAttribute("open", "");
    this.querySelector<HTMLElement>("button, input, [tabindex]")?.focus();
  };
  HTMLDialogElement.prototype.close = function (this: HTMLDialogElement) {
    this.removeAttribute("open");
  };
  document.addEventListener("keydown", (event) => {
    const dialog = document.querySelector<HTMLDialogElement>("dialog[open]");
    if (event.key === "Escape") dialog?.dispatchEvent(new Event("cancel", { cancelable: true }));
  });
  window.scrollTo = () => {};
  if (!("CSS" in globalThis) || !("escape" in CSS)) {
    const escape = (text: string) => text.replace(/["\\]/g, "\\$&");
    Object.defineProperty(globalThis, "CSS", { value: { escape }, configurable: true });
  }
}

// The test of the build runs without a page.
if (typeof document !== "undefined") fillIn();
