/**
 * The element of the page with this id.
 *
 * @throws {Error} If the page has none of that kind.
 */
export function element<T extends HTMLElement>(
  id: string,
  kind: new () => T,
): T {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`The page has no ${kind.name} "${id}"`);
}

/** A new element with these properties and children. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Partial<HTMLElementTagNameMap[K]> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/** Calls `act` when a button is pressed; what it throws becomes a problem. */
export function onPress(
  id: string,
  act: () => void | Promise<void>,
): HTMLButtonElement {
  const button = element(id, HTMLButtonElement);
  button.addEventListener("click", () => void attempt(act));
  return button;
}

/** Gives an element the focus, if the one that had it cannot have it any more. */
export function keepFocus(next: Element | null): void {
  const now = document.activeElement;
  const lost = now === null || now === document.body ||
    now.matches(":disabled") ||
    !now.checkVisibility();
  if (lost && next instanceof HTMLElement) next.focus();
}

/** Says what goes on, for eyes and screen readers. */
export function say(text: string): void {
  element("status", HTMLElement).textContent = text;
}

/** Tells of a problem until it is closed. */
export function tellProblem(error: unknown): void {
  const text = error instanceof Error ? error.message : String(error);
  const close = make("button", { type: "button", textContent: "Close" });
  const line = make("p", {}, make("span", { textContent: text }), close);
  close.addEventListener("click", () => {
    const next = line.nextElementSibling ?? line.previousElementSibling;
    line.remove();
    keepFocus(next?.querySelector("button") ?? element("inspect", HTMLElement));
  });
  element("problems", HTMLElement).append(line);
}

/** Runs something and tells of the problem it throws. */
export async function attempt(
  act: () => void | Promise<void>,
): Promise<void> {
  try {
    await act();
  } catch (error) {
    tellProblem(error);
  }
}
