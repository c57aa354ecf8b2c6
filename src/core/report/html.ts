/** Text that is HTML already. */
export class Html {
  /** The markup. */
  readonly text: string;

  /** Takes markup as it is; for text use {@linkcode html}. */
  constructor(text: string) {
    this.text = text;
  }
}

/** What may stand in an {@linkcode html} template. */
type HtmlValue =
  | string
  | number
  | Html
  | undefined
  | false
  | readonly HtmlValue[];

/**
 * A template of HTML: what is put in is escaped, unless it is HTML itself.
 * Lists are joined; `undefined` and `false` are nothing.
 */
export function html(
  strings: TemplateStringsArray,
  ...values: readonly HtmlValue[]
): Html {
  const parts = strings.map((text, i) =>
    i === 0 ? text : markup(values[i - 1]) + text
  );
  return new Html(parts.join(""));
}

function markup(value: HtmlValue): string {
  if (value === undefined || value === false) return "";
  if (value instanceof Html) return value.text;
  if (typeof value === "object") return value.map(markup).join("");
  return String(value).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}
