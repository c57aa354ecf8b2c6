import papaparse from "npm:papaparse@5.5.3";

/** As much of Papa Parse as is used; its own types are those of Node. */
interface Parser {
  parse(text: string, options: { readonly delimiter: string }): {
    readonly data: readonly (readonly string[])[];
    readonly errors: readonly {
      readonly row?: number;
      readonly message: string;
    }[];
  };
}

/** A line of a table. */
export interface CsvRow {
  /** Its line in the file, from 1. */
  readonly line: number;
  /** Its cells by the names of the header, in lower case. */
  readonly cells: ReadonlyMap<string, string>;
}

/**
 * Reads a table as RFC 4180 has it: a header, then lines with as many cells,
 * parted by commas, semicolons or tabs, whichever the header has first. Empty
 * lines are left out, spaces around cells too.
 *
 * @param bytes The file, UTF-8.
 * @param path Its name, for messages.
 * @throws {Error} If a line has another number of cells than the header or a
 * quote is not closed, naming the line.
 */
export function readCsv(bytes: Uint8Array, path: string): CsvRow[] {
  const text = new TextDecoder().decode(bytes);
  const [header = ""] = text.split(/\r?\n/, 1);
  const { data, errors } = (papaparse as Parser).parse(text, {
    delimiter: /[,;\t]/.exec(header)?.[0] ?? ",",
  });
  const [error] = errors;
  const rows: CsvRow[] = [];
  let columns: string[] | undefined;
  let line = 1;
  for (const [i, record] of data.entries()) {
    if (error?.row === i) throw problem(path, line, error.message);
    const cells = record.map((cell) => cell.trim());
    if (cells.length === 1 && cells[0] === "") {
      line++;
      continue;
    }
    if (columns === undefined) {
      columns = cells.map((name) => name.toLowerCase());
    } else if (cells.length !== columns.length) {
      const found =
        `it has ${cells.length} cells, the header ${columns.length}`;
      throw problem(path, line, found);
    } else {
      const pairs = columns.map((name, k) => [name, cells[k]!] as const);
      rows.push({ line, cells: new Map(pairs) });
    }
    line += 1 + record.join("").split("\n").length - 1;
  }
  return rows;
}

function problem(path: string, line: number, what: string): Error {
  return new Error(`Cannot read "${path}": line ${line}: ${what}`);
}
