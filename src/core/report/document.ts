import { Html, html } from "./html.ts";
import { REPORT_STYLE } from "./style.ts";

/**
 * A whole HTML page that needs nothing from outside.
 *
 * @param title Of the window, and the heading.
 * @param main What follows the heading; one of its elements has the id `images`.
 */
export function renderDocument(title: string, main: Html): string {
  const page = html`
    <!DOCTYPE html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <link rel="icon" href="data:,">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>${title}</title>
        <style>${new Html(REPORT_STYLE)}</style>
      </head>
      <body>
        <a class="skip" href="#images">Skip to the images</a>
        <header>
          <h1>${title}</h1>
        </header>
        <main>${main}</main>
      </body>
    </html>
  `;
  return page.text;
}
