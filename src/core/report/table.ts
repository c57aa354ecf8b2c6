import type { ReportTable } from "./facts.ts";
import { Html, html } from "./html.ts";

/** A table as a drawing; wide ones scroll. */
export function drawTable({ caption, head, rows }: ReportTable): Html {
  const number = (column: number): boolean =>
    column > 0 && rows.some((row) => isNumber(row[column]));
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label="${caption}">
      <table>
        <caption>${caption}</caption>
        <thead>
          <tr>${head.map((name, i) =>
            html`
              <th scope="col" ${number(i) &&
                new Html(' class="number"')}>${name}</th>
            `
          )}</tr>
        </thead>
        <tbody>${rows.map((row) =>
          html`
            <tr>${row.map((cell, i) =>
              html`<td${number(i) && new Html(' class="number"')}>${
                typeof cell === "number" && !Number.isFinite(cell)
                  ? "none"
                  : cell
              }</td>`
            )}</tr>
          `
        )}</tbody>
      </table>
    </div>
  `;
}

function isNumber(cell: string | number | undefined): boolean {
  return typeof cell === "number" || /^\d+(\.\d+)?$/.test(cell ?? "");
}
