import type { NamedImage } from "../core/mod.ts";
import { attempt, element } from "./elements.ts";

/** Takes files that were chosen or dropped. */
type TakeFiles = (files: readonly File[]) => void | Promise<void>;

/** Hands over the files that are chosen with an `<input type="file">`. */
export function onChosen(id: string, take: TakeFiles): HTMLInputElement {
  const input = element(id, HTMLInputElement);
  input.addEventListener("change", () => {
    const files = [...input.files ?? []];
    input.value = "";
    if (files.length > 0) void attempt(() => take(files));
  });
  return input;
}

/** Hands over the files that are dropped on an element. */
export function onDropped(id: string, take: TakeFiles): void {
  const place = element(id, HTMLElement);
  const mark = (over: boolean) => (event: DragEvent): void => {
    event.preventDefault();
    place.classList.toggle("over", over);
  };
  place.addEventListener("dragover", mark(true));
  place.addEventListener("dragleave", mark(false));
  place.addEventListener("drop", (event) => {
    mark(false)(event);
    const files = [...event.dataTransfer?.files ?? []];
    if (files.length > 0) void attempt(() => take(files));
  });
}

/** A file as an image that is read when it is needed. */
export function imageOf(file: File): NamedImage {
  const path = file.webkitRelativePath || file.name;
  return { name: path, content: () => bytesOf(file) };
}

/** The bytes of a file. */
export async function bytesOf(file: Blob): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await file.arrayBuffer());
}

/** Lets the user save bytes as a file. */
export function saveAs(name: string, bytes: Uint8Array<ArrayBuffer>): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bytes]));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
